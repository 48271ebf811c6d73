using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

/// <summary>What every recipe asks for when it is made.</summary>
public sealed class ConstructorTests
{
    /// <summary>Every class of the library that is made of a client.</summary>
    public static TheoryData<string> Recipes => new(typeof(Counter).Assembly.GetExportedTypes()
        .Where(
            type => type.GetConstructors().Any(
                made => made.GetParameters() is [var first, ..] && first.ParameterType == typeof(LeaseClient)))
        .Select(type => type.Name));

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Recipe_WithoutAClientOrAName_IsRefused(string recipe)
    {
        await using var world = new RecipeWorld();

        Assert.Throws<ArgumentNullException>("client", () => Make(recipe, null!, "r"));
        Assert.Throws<ArgumentNullException>(() => Make(recipe, world.Join("ann"), null!));
        Assert.NotNull(Make(recipe, world.Join("ann"), "r"));
    }

    private static object Make(string recipe, LeaseClient client, string name) => recipe switch
    {
        nameof(CacheFill) => new CacheFill(client, name),
        nameof(Counter) => new Counter(client, name),
        nameof(DistributedLock) => new DistributedLock(client, name),
        nameof(DistributedReaderWriterLock) => new DistributedReaderWriterLock(client, name),
        nameof(DistributedSemaphore) => new DistributedSemaphore(client, name, 1),
        nameof(LeaderElection) => new LeaderElection(client, name),
        nameof(TaskClaim) => new TaskClaim(client, name),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe, "There is no such recipe; add it."),
    };
}
