using System.Reflection;
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

    // Decision recipes-have-interfaces.
    [Theory]
    [MemberData(nameof(Recipes))]
    public void Recipe_HasAnInterface_WithAllOfItsMethods(string recipe)
    {
        var type = typeof(Counter).Assembly.GetType($"{typeof(Counter).Namespace}.{recipe}")!;
        var faked = Assert.Single(type.GetInterfaces());

        Assert.Equal($"I{recipe}", faked.Name);
        Assert.Equal(
            type.GetMethods(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Public)
                .Select(method => method.ToString()).Order(),
            faked.GetMethods().Select(method => method.ToString()).Order());
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
