using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Records that are dropped while two activations use them and the store answers late, wrongly or never: what was ever stored or granted
/// of the name is never stored or granted again.
/// </summary>
public sealed class DroppedNames
{
    [Fact]
    public void DroppedNames_WhenAnythingHappens_RepeatNoTokenVersionOrEvent()
    {
        var (drops, returns, histories) = (0, 0, 0);
        Runs.Check(1600, 120, kinds: 24, history =>
        {
            // Continuations must run on this thread, inside the call that completes them.
            SynchronizationContext.SetSynchronizationContext(null);
            var world = new DropWorld();
            foreach (var step in history) world.Take(step);
            world.ComesToRest();
            drops += world.Drops;
            returns += world.Returns;
            histories++;
        });
        Assert.True(drops > histories && returns > histories, $"{drops} drops, {returns} returns in {histories} histories are too few.");
    }
}
