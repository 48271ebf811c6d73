using System.Globalization;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>
/// Whatever dies or stops, nobody of a command's process group is alive at its deadline. No deadline can be later
/// than the moment of the fault and one time to live, since nothing is renewed after it.
/// </summary>
public abstract class RunSafety : IAsyncLifetime
{
    // A quarter of it is for SIGTERM: long enough for a busy machine to let the command handle that before SIGKILL.
    private protected const string Ttl = "12s";
    private protected const long TtlNanoseconds = 12_000_000_000;

    private protected ServerProcess Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await ServerProcess.StartAsync("--memory");

    public Task DisposeAsync() => Server.DisposeAsync().AsTask();

    private protected async Task<Tool> StartAsync(Family family)
    {
        var run = Tool.Start(Server.Address, ["run", "r", "--ttl", Ttl, .. family.Command]);
        await family.IsUpAsync(run);
        return run;
    }

    private protected async Task<long> NextHolderAsync() =>
        long.Parse(
            (await Tool.RunAsync(Server.Address, "run", "r", "--ttl", Ttl, "--wait", "10m", "--", "date", "+%s%N")).Out,
            CultureInfo.InvariantCulture);
}
