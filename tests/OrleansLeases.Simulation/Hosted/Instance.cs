using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Client;
using OrleansLeases.Client.Holding;
using OrleansLeases.Hosting;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Hosted;

/// <summary>One instance of an application on a machine of its own: a service that leads, and a job each minute.</summary>
internal sealed class Instance
{
    public const string Job = "each-minute";
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(10);

    private readonly HostedLedger _ledger;
    private readonly Dice _dice;
    private readonly LeasedWork[] _works;
    private readonly CancellationTokenSource _stopping = new();
    private Task _run = Task.CompletedTask;

    public Instance(SimProcess process, ILeaseService service, HostedLedger ledger, Dice dice)
    {
        (Process, _ledger, _dice) = (process, ledger, dice);
        var client = new LeaseClient(
            service, new() { Owner = process.Name }, process.Clock, new HolderClock(process.Clock),
            dice.Fork());
        var services = new ServiceCollection().AddSingleton(client).AddSingleton(this);
        services.AddLeaderService<Leader>(options => options.Lease = new() { Ttl = Ttl });
        services.AddScheduledJob(Job, "* * * * *", RunAsync, options => options.Lease = new() { Ttl = Ttl });
        _works = [.. services.BuildServiceProvider().GetServices<LeasedWork>()];
    }

    public SimProcess Process { get; }

    public bool HasStopped { get; private set; }

    /// <summary>When something was last done to it: it was killed, stopped, or goes on again.</summary>
    public TimeSpan DisturbedAt { get; set; } = TimeSpan.MinValue;

    // Not as a host does, beside each other: the order of the thread pool is no part of the seed.
    public void Start() => Process.Run(() => _run = Task.WhenAll([.. _works.Select(work => work.RunAsync(_stopping.Token))]));

    /// <summary>Stops in order, as a host does.</summary>
    public void Stop() => Process.Run(() => _ = EndAsync());

    private async Task EndAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        HasStopped = true;
    }

    private async Task RunAsync(ScheduledRun run, CancellationToken stop)
    {
        _ledger.Starts(this, run.Tick, run.Lease);
        await Task.Delay(_dice.Skewed(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(20)), Process.Clock, stop).ConfigureAwait(false);
    }

    /// <summary>Runs on one instance at a time.</summary>
    private sealed class Leader(Instance instance, LeaderTerm term) : BackgroundService
    {
        private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            instance._ledger.Leads(instance, term.Lease);
            try
            {
                while (true)
                {
                    instance._ledger.Beats(instance, term.Lease);
                    await Task.Delay(Beat, instance.Process.Clock, stoppingToken).ConfigureAwait(false);
                }
            }
            finally
            {
                instance._ledger.LeadsNoMore(term.Lease);
            }
        }
    }
}
