using System.Diagnostics;
using System.Globalization;
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
    private const string Survived = "survived";

    /// <summary>Lives in a process of its own, which is killed at one of its saves.</summary>
    /// <param name="folder">Where its data is.</param>
    /// <param name="point">At which save, from 0.</param>
    /// <param name="written">Whether it dies once the save is on disk, or before.</param>
    public static async Task<Acknowledged> LiveAndDieAsync(string folder, int point, bool written)
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [typeof(Victim).Assembly.Location, folder, $"{point}", $"{written}"])
            {
                RedirectStandardOutput = true,
            })!;
        var told = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var survived = told.Contains(Survived, StringComparison.Ordinal);
        Assert.Equal(survived, process.ExitCode == 0);
        return new(told.Contains(Unbound, StringComparison.Ordinal), told.Contains(Ended, StringComparison.Ordinal), survived);
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

    private static async Task Main(string[] arguments)
    {
        var point = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        var written = bool.Parse(arguments[2]);
        var saves = 0;
        Func<Task> before = written ? () => Task.CompletedTask : DieAtPoint;
        Func<Task> after = written ? DieAtPoint : () => Task.CompletedTask;
        var store = new ScriptedStore(SqliteStore.Open(arguments[0]))
        {
            BeforeSave = _ => before(), AfterSave = _ => after(), BeforeSaveKey = (_, _) => before(), AfterSaveKey = (_, _) => after(),
        };
        await using var leases = Engines.Over(store, TimeProvider.System);
        await LiveAsync(leases, "victim", store, Console.Out.WriteLine);
        Console.WriteLine(Survived);

        Task DieAtPoint()
        {
            if (Interlocked.Increment(ref saves) <= point) return Task.CompletedTask;
            using var self = Process.GetCurrentProcess();
            self.Kill();
            return new TaskCompletionSource().Task;
        }
    }
}
