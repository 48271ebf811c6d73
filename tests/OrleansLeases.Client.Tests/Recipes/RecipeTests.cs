using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

/// <summary>A world of its own for each test, with two processes in it.</summary>
public abstract class RecipeTests : IAsyncLifetime
{
    private protected RecipeTests() => (Ann, Bob) = (World.Join("ann"), World.Join("bob"));

    private protected RecipeWorld World { get; } = new();

    private protected LeaseClient Ann { get; }

    private protected LeaseClient Bob { get; }

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => World.DisposeAsync().AsTask();

    /// <summary>Something that a test ends, by whoever waits for it on a thread of the pool.</summary>
    private protected static TaskCompletionSource Gate() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
