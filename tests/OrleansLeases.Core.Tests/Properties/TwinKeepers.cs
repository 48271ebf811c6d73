using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Two activations of one resource on one store, through freezes, sleeps, clock steps, crashes and a store that answers
/// late, wrongly or never. What careful clients believe must never contradict, and in the end the resource is free.
/// </summary>
public sealed class TwinKeepers
{
    [Fact]
    public void Twins_WhenAnythingHappens_NeverMakeTwoHolders()
    {
        var (grants, histories) = (0, 0);
        Runs.Check(1600, 120, kinds: 26, history =>
        {
            // Continuations must run on this thread, inside the call that completes them.
            SynchronizationContext.SetSynchronizationContext(null);
            var world = new TwinWorld(history.FirstOrDefault());
            foreach (var step in history) world.Take(step);
            world.ComesToRest();
            grants += world.Grants;
            histories++;
        });
        Assert.True(grants > histories, $"{grants} grants in {histories} histories show too little.");
    }
}
