using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Hosts the keeper of one resource. The keeper takes one turn at a time by itself, and a call that waits in line
/// occupies none; so the grain is reentrant, and a release overtakes the calls that wait for it.
/// </summary>
/// <remarks>
/// Not one activation at a time makes leases safe but the keeper's compare-and-swap: two activations may be alive at
/// once. Nothing travels with a migration, since monotonic times belong to a process; it is immovable because a
/// deactivation waits for the calls that wait in line.
/// </remarks>
[GrainType("lease"), Reentrant, Immovable]
internal sealed class LeaseGrain : IGrainBase, ILeaseGrain, ILeaseUpkeep, IDisposable
{
    private static readonly Refusal.Unavailable Moving = new(TimeSpan.Zero, "The lease moves to another silo; repeat the call.");

    private readonly LeaseSilo _silo;
    private readonly LeaseKeeper _keeper;
    private readonly GrainAlarm _alarm;
    private readonly Dictionary<string, CancellationTokenSource> _waiting = new(StringComparer.Ordinal);

    public LeaseGrain(IGrainContext context, LeaseSilo silo)
    {
        GrainContext = context;
        _silo = silo;
        var resource = LeaseGrainKey.ResourceOf(context.GrainId.Key.ToString()!);
        _alarm = new GrainAlarm(context, silo.Clock, silo.Time);
        _keeper = new LeaseKeeper(resource, silo.HostOf(context.GrainId, _alarm));
    }

    public IGrainContext GrainContext { get; }

    public Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _silo.Enter(_keeper);
        return Task.CompletedTask;
    }

    public Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _silo.Leave(_keeper);
        _keeper.Stop();
        return Task.CompletedTask;
    }

    /// <summary>Sends away whoever waits in line: the deactivation waits for them, and new calls wait for it. Called from anywhere.</summary>
    public void Depart() => _keeper.Stop(Moving);

    // An activation that fails while it starts is disposed of without having been deactivated.
    public void Dispose()
    {
        _silo.Leave(_keeper);
        _keeper.Stop();
        _alarm.Dispose();
    }

    public async Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        if ((Misdirected(request.Resource) ?? _silo.Checks.Check(request)) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        if (request.Wait == TimeSpan.Zero) return await ChangeAsync<AcquireRequest, LeaseGrant>(request, null, LeaseCommand.Of);

        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _waiting[request.RequestId] = wait;
        try
        {
            return As<LeaseGrant>(await _keeper.Submit(LeaseCommand.Of(request), wait.Token)!);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Refusal.Unavailable(TimeSpan.Zero, "The caller gave up waiting.");
        }
        finally
        {
            // A newer call of the same request id may have taken the entry over.
            if (_waiting.TryGetValue(request.RequestId, out var mine) && mine == wait) _waiting.Remove(request.RequestId);
        }
    }

    public Task GiveUpAsync(string requestId, CancellationToken cancellationToken) =>
        _waiting.TryGetValue(requestId, out var wait) ? wait.CancelAsync() : Task.CompletedTask;

    // A change goes on without its caller: whoever stored it cannot take it back.
    public Task<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken) =>
        ChangeAsync<RenewRequest, LeaseRenewal>(request, Misdirected(request.Resource) ?? _silo.Checks.Check(request), LeaseCommand.Of);

    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        ChangeAsync<ReleaseRequest, LeaseRelease>(request, Misdirected(request.Resource) ?? RequestChecks.Check(request), LeaseCommand.Of);

    public Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken)
    {
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return ChangeAsync<TransferRequest, LeaseGrant>(request, Misdirected(request.Resource) ?? _silo.Checks.Check(request), LeaseCommand.Of);
    }

    public Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken)
    {
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return ChangeAsync<BreakRequest, LeaseBreak>(request, Misdirected(request.Resource) ?? _silo.Checks.Check(request), LeaseCommand.Of);
    }

    public Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        ReadAsync<LeaseInfo>(Misdirected(request.Resource), keeper => keeper.Get(request.Fresh));

    public Task<LeaseResult<LeaseHistory>> HistoryAsync(CancellationToken cancellationToken) =>
        ReadAsync<LeaseHistory>(null, static keeper => keeper.History());

    public Task WakeAsync() => _keeper.Wake();

    private static string NewRequestId() => Guid.NewGuid().ToString("N");

    // Grains are called directly as well, and a request for another resource would be answered by this one's record.
    private Refusal.InvalidRequest? Misdirected(string? resource) => resource == _keeper.Resource
        ? null
        : new(
            new Dictionary<string, string[]> { ["resource"] = [$"is '{resource}', but the grain called is that of '{_keeper.Resource}'; call GetLease with the request's resource"] },
            $"The request is for '{resource}', but the grain called is that of '{_keeper.Resource}'.");

    // The keeper's answer is never null: without an idle time it does not retire; Orleans decides how long the grain stays.
    private async Task<LeaseResult<TReply>> ChangeAsync<TRequest, TReply>(TRequest request, Refusal? refusal, Func<TRequest, LeaseCommand> command)
        where TReply : class =>
        refusal ?? As<TReply>(await _keeper.Submit(command(request), CancellationToken.None)!);

    private async Task<LeaseResult<T>> ReadAsync<T>(Refusal? refusal, Func<LeaseKeeper, Task<object>?> read)
        where T : class =>
        refusal ?? RequestChecks.CheckResource(_keeper.Resource) ?? As<T>(await read(_keeper)!);

    private static LeaseResult<T> As<T>(object answer)
        where T : class =>
        answer is Refusal refusal ? refusal : (T)answer;
}

/// <summary>What the service's own grains ask of a lease.</summary>
[Alias("OrleansLeases.ILeaseUpkeep")]
internal interface ILeaseUpkeep : IGrainWithStringKey
{
    /// <summary>Looks at what time has changed; a sweeper calls it for records that no activation remembers.</summary>
    /// <returns>When that is stored.</returns>
    [Alias("Wake")]
    Task WakeAsync();
}
