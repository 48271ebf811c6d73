using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>What the victim was told before it died.</summary>
internal readonly record struct Acknowledged(bool Unbound, bool Ended, bool Survived);

/// <summary>A life to be cut short: two bound keys, one of them unbound again, and the end of the lease with its clean-up.</summary>
internal static class Victim
{
    private const string Unbound = "unbound";
    private const string Ended = "ended";

    /// <summary>Lives in a process of its own, which is killed at one of its saves.</summary>
    /// <param name="folder">Where its data is.</param>
    /// <param name="point">At which save, from 0.</param>
    /// <param name="written">Whether it dies once the save is on disk, or before.</param>
    public static async Task<Acknowledged> LiveAndDieAsync(string folder, int point, bool written)
    {
        var (told, survived) = await VictimProcess.LiveAndDieAsync(nameof(Victim), folder, $"{point}", $"{written}");
        return new(told.Contains(Unbound), told.Contains(Ended), survived);
    }

    /// <summary>One life.</summary>
    /// <param name="leases">The service.</param>
    /// <param name="name">The resource.</param>
    /// <param name="store">The service's store.</param>
    /// <param name="tell">Hears what was acknowledged, at once.</param>
    public static async Task<Acknowledged> LiveAsync(ILeaseService leases, string name, ScriptedStore store, Action<string> tell)
    {
        if (!(await leases.AcquireAsync(By("ann", name))).TryGetValue(out var grant, out _)) return default;
        if ((await leases.PutAsync($"{name}/bound", "bound", grant)).Refusal is not null) return default;
        if ((await leases.PutAsync($"{name}/unbound", "bound", grant)).Refusal is not null) return default;
        if ((await leases.PutAsync($"{name}/unbound", "free")).Refusal is not null) return default;
        tell(Unbound);
        if ((await leases.ReleaseAsync(grant)).Refusal is not null) return new(Unbound: true, Ended: false, Survived: false);
        tell(Ended);
        // Either the clean-up comes to its end, or death comes first.
        await UntilAsync(async () => await store.IsCleanAsync() || store.HasFailed);
        return new(Unbound: true, Ended: true, Survived: !store.HasFailed);
    }

    /// <summary>One life in this process, which it ends.</summary>
    public static async Task LiveAsync(string folder, int point, bool written)
    {
        var saves = 0;
        Func<Task> before = written ? () => Task.CompletedTask : DieAtPoint;
        Func<Task> after = written ? DieAtPoint : () => Task.CompletedTask;
        var store = new ScriptedStore(SqliteStore.Open(folder))
        {
            BeforeSave = _ => before(), AfterSave = _ => after(), BeforeSaveKey = (_, _) => before(), AfterSaveKey = (_, _) => after(),
        };
        await using var leases = Engines.Over(store, TimeProvider.System);
        await LiveAsync(leases, "victim", store, Console.Out.WriteLine);

        Task DieAtPoint()
        {
            if (Interlocked.Increment(ref saves) > point) VictimProcess.Die();
            return Task.CompletedTask;
        }
    }
}
