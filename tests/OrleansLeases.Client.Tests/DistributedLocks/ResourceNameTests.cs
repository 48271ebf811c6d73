using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>Any text is a name, and no two texts are the same resource.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "A call that blocks does as well.")]
public sealed class ResourceNameTests : RecipeTests
{
    // Of "orders//42", by another program.
    private const string HashOfDoubleSlash = "~f5ae88daaef001393b6599aeb95ab3a200f79b8839839adf363479f4b1a2692c";

    private static readonly string[] Fitting =
    [
        "r", "R", "orders/42", "~", "~/a", "Bestellung für Zoë/№ 7", "%2F", "...", "a b", new('a', 512), new('é', 256),
        $"~{new string('A', 64)}",
    ];

    private static readonly string[] Others =
    [
        "", "/", "//", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "line\nbreak", "\u0085", "nul\0", @"\\\\\" + "/", new('a', 513),
        new('a', 1000), new string('a', 999) + "A", new('/', 1000), new('é', 257), "\ud800", "\udc00", "\ufffd\n", "\ud800\n",
        $"~{new string('a', 64)}", $"~{new string('0', 64)}",
    ];

    public static TheoryData<string?> Prefixes => [null, "locks", new('p', 256)];

    [Fact]
    public void Name_ThatIsAResource_IsThatResource() => Assert.All(Fitting, name => Assert.Equal(name, ResourceOf(null, name)));

    [Fact]
    public void Name_ThatIsNone_IsItsHash() => Assert.All(Others, name => Assert.Matches("^~[0-9a-f]{64}$", ResourceOf(null, name)));

    [Fact]
    public void Hash_IsAsDocumented() => Assert.Equal(HashOfDoubleSlash, ResourceOf(null, "orders//42"));

    [Theory]
    [MemberData(nameof(Prefixes))]
    public void AnyText_IsTakenByTheService_AndNoTwoAreTheSame(string? prefix)
    {
        var provider = new LeaseDistributedSynchronizationProvider(Ann, new() { Prefix = prefix });
        // With the hash of one of them, as a name.
        string[] names = [.. Fitting, .. Others, ResourceOf(null, "//")];

        var held = names.Select(name => provider.CreateLock(name).TryAcquire()).ToList();

        Assert.All(held, Assert.NotNull);
        Assert.All(held, handle => Assert.StartsWith(prefix is null ? "" : $"{prefix}/", handle!.Lease.Resource, StringComparison.Ordinal));
        held.ForEach(handle => handle!.Dispose());
    }

    [Fact]
    public void Kinds_OfOneName_AreOneResource()
    {
        var provider = new LeaseDistributedSynchronizationProvider(Ann, new() { Prefix = "locks" });

        Assert.Equal("locks/r", provider.CreateLock("r").Name);
        Assert.Equal("locks/r", provider.CreateReaderWriterLock("r").Name);
        Assert.Equal("locks/r", provider.CreateSemaphore("r", 2).Name);
    }

    [Fact]
    public void Prefix_ThatNoResourceBeginsWith_IsRefused() => Assert.All(
        ["", "locks/", "/locks", "a/../b", "a\nb", "\ud800", new('a', 257)],
        prefix =>
        {
            var refusal = Assert.Throws<ArgumentException>(() => new LeaseDistributedSynchronizationOptions { Prefix = prefix });
            Assert.Contains($"Prefix is '{prefix}'", refusal.Message, StringComparison.Ordinal);
        });

    [Fact]
    public void Name_ThatIsNull_IsRefused()
    {
        var provider = new LeaseDistributedSynchronizationProvider(Ann);

        Assert.Equal("name", Assert.Throws<ArgumentNullException>(() => provider.CreateLock(null!)).ParamName);
        Assert.Equal("name", Assert.Throws<ArgumentNullException>(() => provider.CreateReaderWriterLock(null!)).ParamName);
        Assert.Equal("name", Assert.Throws<ArgumentNullException>(() => provider.CreateSemaphore(null!, 1)).ParamName);
    }

    private string ResourceOf(string? prefix, string name) =>
        new LeaseDistributedSynchronizationProvider(Ann, new() { Prefix = prefix }).CreateLock(name).Name;
}
