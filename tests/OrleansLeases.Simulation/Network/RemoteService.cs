using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Network;

/// <summary>
/// The service as one client reaches it: over the simulated network, at one of several places, and at another once that one does not
/// answer. What it is told is compared with the truth.
/// </summary>
/// <remarks>
/// At a fixed place it is what a connection is: it has no time limit, and throws what a connection throws. Where to go then is up to its
/// caller.
/// </remarks>
internal sealed partial class RemoteService(
    Cluster cluster, SimProcess process, Truth truth, LeaseHistories histories, Planted planted, int? fixedPlace = null)
    : ILeaseService
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(200);

    private readonly Scheduler _scheduler = cluster.Scheduler;
    private int _requests;
    private int _place = fixedPlace ?? cluster.Scheduler.Dice.Next(cluster.Hosts.Length);

    /// <summary>Calls that were answered or given up.</summary>
    public long Calls { get; private set; }

    public string Name => process.Name;

    /// <summary>Where its calls go now.</summary>
    public string PlaceName => Cluster.PlaceName(_place);

    private string NewRequestId() => $"{Name}-{++_requests}";

    // One call, over a connection of its own: where its host crashes, the connection breaks, mostly.
    private async ValueTask<LeaseResult<T>> CallAsync<T>(
        string verb, Func<ILeaseService, CancellationToken, ValueTask<LeaseResult<T>>> call, CancellationToken cancellationToken,
        bool isChange = true, string? requestId = null, TimeSpan wait = default, bool once = false,
        Func<T, IEnumerable<LeaseGrant>>? newGrantsOf = null)
        where T : class
    {
        // The collector finishes handles of a process that has crashed, whose code would go on by that, whenever it comes.
        if (process.HasCrashed) return await new TaskCompletionSource<LeaseResult<T>>().Task.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        var place = _place;
        var sent = _scheduler.Now;
        if (cluster.Hosts[place] is not { } host)
        {
            Told(verb, "nobody", 0);
            if (fixedPlace is not null) throw new HttpRequestException(HttpRequestError.ConnectionError, "Nobody listens there.");
            _place = (place + 1) % cluster.Hosts.Length;
            return new Refusal.Unavailable(RetryAfter, "Nobody listens there.");
        }

        SimHost? served = null;
        var hungUp = new CancellationTokenSource();
        var answer = new TaskCompletionSource<LeaseResult<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = Cluster.PlaceName(place);
        cluster.Network.Send(Name, server, () => cluster.Hosts[place]?.Process, () => _ = ServeAsync(cluster.Hosts[place]!), once);
        void Break() => process.Run(() => answer.TrySetException(new IOException("The connection broke.")));
        host.Connections.Add(Break);
        try
        {
            var limit = fixedPlace is null ? CallLimit + wait : Timeout.InfiniteTimeSpan;
            var result = await answer.Task.WaitAsync(limit, process.Clock, cancellationToken).ConfigureAwait(false);
            Told(verb, result.Refusal?.Code.ToString() ?? "ok", (_scheduler.Now - sent).Ticks);
            return planted.HasFlag(Planted.DeadlineFromReceipt) ? FromReceipt(result, _scheduler.Now - sent) : result;
        }
        catch (Exception error) when (error is TimeoutException or IOException)
        {
            HangUp();
            Told(verb, error is IOException ? "broken" : "silence", 0);
            if (fixedPlace is not null) throw new HttpRequestException(HttpRequestError.ResponseEnded, error.Message, error);
            _place = (place + 1) % cluster.Hosts.Length;
            return isChange ? new Refusal.OutcomeUnknown(requestId, "No answer came.")
                : new Refusal.Unavailable(RetryAfter, "No answer came.");
        }
        catch (OperationCanceledException)
        {
            HangUp();
            Told(verb, "given up", 0);
            throw;
        }
        finally
        {
            host.Connections.Remove(Break);
        }

        // Only the host that serves the call has anything to do with it.
        void HangUp() => cluster.Network.Send(Name, server, () => served?.Process, hungUp.Cancel, once: true);

        async Task ServeAsync(SimHost at)
        {
            served ??= at;
            LeaseResult<T> result;
            try
            {
                result = await call(at.Front, served == at ? hungUp.Token : CancellationToken.None).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception defect)
            {
                _scheduler.Fail("defect", $"{verb} threw {defect}");
                return;
            }

            if (at.Process.HasCrashed) return;
            if (served == at && hungUp.IsCancellationRequested)
            {
                // As the gateway does where its caller is gone before the first byte.
                if (!result.TryGetValue(out var made, out _)) return;
                foreach (var grant in newGrantsOf?.Invoke(made) ?? (made is LeaseGrant { Replayed: false } one ? [one] : []))
                    _ = at.Front.GiveBackAsync(grant).AsTask();
                return;
            }

            cluster.Network.Send(server, Name, () => process, () => answer.TrySetResult(result), once: true);
        }
    }

    private void Told(string verb, string what, long ticks)
    {
        Calls++;
        _scheduler.Trace.Add(_scheduler.Now, verb, Name, what.Length == 0 ? 0 : what[0] + (what.Length << 8), ticks);
    }

    /// <summary>The planted defect: the round trip is counted for the holder.</summary>
    private static LeaseResult<T> FromReceipt<T>(LeaseResult<T> result, TimeSpan roundTrip)
        where T : class
    {
        if (!result.TryGetValue(out var value, out _)) return result;
        object late = value switch
        {
            LeaseGrant grant => grant with { Elapsed = roundTrip },
            LeaseRenewal renewal => renewal with { Elapsed = roundTrip },
            RenewBatchReply batch => batch with
            {
                Results =
                [
                    .. batch.Results.Select(
                        one => one.TryGetValue(out var renewal, out _) ? renewal with { Elapsed = roundTrip } : one),
                ],
            },
            _ => value,
        };
        return (T)late;
    }
}
