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
    private readonly IHostedLifecycleService _works;

    public Instance(SimProcess process, ILeaseService service, HostedLedger ledger, Dice dice)
    {
        (Process, _ledger, _dice) = (process, ledger, dice);
        var client = new LeaseClient(
            new InstanceService(service, process), new() { Owner = process.Name }, process.Clock, new HolderClock(process.Clock),
            dice.Fork());
        var services = new ServiceCollection().AddSingleton(client).AddSingleton(this);
        services.AddLeaderService<Leader>(options => options.Lease = new() { Ttl = Ttl });
        services.AddScheduledJob(Job, "* * * * *", RunAsync, options => options.Lease = new() { Ttl = Ttl });
        _works = services.BuildServiceProvider().GetServices<IHostedService>().OfType<IHostedLifecycleService>().Single();
    }

    public SimProcess Process { get; }

    public bool HasStopped { get; private set; }

    /// <summary>When something was last done to it: it was killed, stopped, or goes on again.</summary>
    public TimeSpan DisturbedAt { get; set; } = TimeSpan.MinValue;

    public void Start() => Process.Run(() => _ = _works.StartedAsync(CancellationToken.None));

    /// <summary>Stops in order, as a host does.</summary>
    public void Stop() => Process.Run(() => _ = EndAsync());

    private async Task EndAsync()
    {
        await _works.StoppingAsync(CancellationToken.None).ConfigureAwait(false);
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

    /// <summary>
    /// The service as a process calls it while it is there: what the collector finishes of one that has crashed calls nobody.
    /// </summary>
    private sealed class InstanceService(ILeaseService service, SimProcess process) : Testing.ForwardingLeases(service)
    {
        public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default) =>
            process.HasCrashed ? Never<LeaseGrant>() : base.AcquireAsync(request, cancellationToken);

        public override ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
            ReleaseRequest request, CancellationToken cancellationToken = default) =>
            process.HasCrashed ? Never<LeaseRelease>() : base.ReleaseAsync(request, cancellationToken);

        public override ValueTask<LeaseResult<LeaseInfo>> GetAsync(
            GetLeaseRequest request, CancellationToken cancellationToken = default) =>
            process.HasCrashed ? Never<LeaseInfo>() : base.GetAsync(request, cancellationToken);

        private static ValueTask<LeaseResult<T>> Never<T>()
            where T : class => new(new TaskCompletionSource<LeaseResult<T>>().Task);
    }
}
