using OrleansLeases.Client;
using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Clients;

/// <summary>Takes leases, works under them and ends them, in all ways; also with tokens of others, and of leases that are over.</summary>
internal sealed class HolderActor(World world, SimClient client)
{
    /// <summary>How many may share a resource that is shared.</summary>
    public const int Capacity = 2;

    private readonly Scheduling.Dice _dice = client.Dice.Fork();
    private LeaseHandle? _old;

    public async Task RunAsync()
    {
        while (!world.IsEnding)
        {
            await client.PauseAsync(_dice.Skewed(TimeSpan.FromMilliseconds(1), world.Seldom(1))).ConfigureAwait(false);
            if (_old is not null && _dice.OneIn(4)) await UseOldTokenAsync(_old).ConfigureAwait(false);
            var (request, wait) = NextRequest();
            var asked = world.Scheduler.Now;
            var result = await AcquireAsync(request, wait).ConfigureAwait(false);
            if (result?.TryGetValue(out var handle, out _) != true) continue;
            var belief = client.Hold(handle!, asked);
            await WorkAsync(handle!).ConfigureAwait(false);
            await LossIsSaidAsync(handle!).ConfigureAwait(false);
            await EndAsync(handle!, belief).ConfigureAwait(false);
            _old = handle;
        }
    }

    private (AcquireRequest Request, TimeSpan Wait) NextRequest()
    {
        var shared = _dice.OneIn(4);
        var resource = _dice.Pick(shared ? world.Names.Shared : world.Names.Exclusive);
        var isShared = shared && !_dice.OneIn(8);
        return (
            new AcquireRequest
            {
                Resource = resource,
                Owner = shared || _dice.OneIn(10) ? $"{client.Name}/{_dice.Next(3)}" : client.Name,
                Ttl = _dice.Skewed(TimeSpan.FromMilliseconds(200), world.LongestTtl),
                Mode = isShared ? LeaseMode.Shared : LeaseMode.Exclusive,
                Capacity = isShared ? Capacity : null,
                LockDelay = !isShared && _dice.OneIn(8)
                    ? _dice.Skewed(TimeSpan.FromMilliseconds(100), World.LongestLockDelay)
                    : TimeSpan.Zero,
                HoldAtLeast = !isShared && _dice.OneIn(8)
                    ? _dice.Skewed(TimeSpan.FromMilliseconds(100), World.LongestLockDelay)
                    : TimeSpan.Zero,
            },
            _dice.OneIn(3) ? TimeSpan.Zero : _dice.Skewed(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)));
    }

    private async Task<LeaseResult<LeaseHandle>?> AcquireAsync(AcquireRequest request, TimeSpan wait)
    {
        using var leaves = new CancellationTokenSource(
            _dice.OneIn(6) ? _dice.Skewed(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)) : Timeout.InfiniteTimeSpan,
            client.Process.Clock);
        try
        {
            return await client.Leases.RequestAsync(request, wait, leaves.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task WorkAsync(LeaseHandle handle)
    {
        for (var steps = _dice.Next(4); steps > 0 && handle.IsValid(); steps--)
        {
            switch (_dice.Next(6))
            {
                case 0 or 1 when handle.Mode == LeaseMode.Exclusive:
                    var work = _dice.Skewed(TimeSpan.FromMilliseconds(1), handle.Ttl);
                    if (await world.Resource.ChangeAsync(client.Process, handle.Resource, handle.Token, work).ConfigureAwait(false) is null)
                        return;
                    break;
                case 2:
                    await client.Service.PutKeyAsync(
                        _dice.Pick(world.Names.BoundKeys), new() { Value = $"{handle.Token}", Lease = LeaseOf(handle) })
                        .ConfigureAwait(false);
                    break;
                case 3:
                    await client.Service.RenewAsync(
                        new() { Resource = handle.Resource, Owner = handle.Owner, Token = handle.Token }).ConfigureAwait(false);
                    break;
                case 4:
                    await ReadAsync(handle.Resource).ConfigureAwait(false);
                    break;
                default:
                    await client.PauseAsync(_dice.Skewed(TimeSpan.FromMilliseconds(1), handle.Ttl * 2)).ConfigureAwait(false);
                    break;
            }
        }
    }

    private async Task ReadAsync(string resource)
    {
        var get = new GetLeaseRequest { Resource = resource, Consistent = _dice.OneIn(2) };
        switch (_dice.Next(6))
        {
            case 0:
                await client.Service.HistoryAsync(resource).ConfigureAwait(false);
                break;
            case 1:
                BatchOperation[] operations =
                    [new BatchOperation.Get(get), new BatchOperation.GetKey(_dice.Pick(world.Names.BoundKeys))];
                await client.Service.BatchAsync(new() { Operations = operations }).ConfigureAwait(false);
                break;
            default:
                await client.Service.GetAsync(get).ConfigureAwait(false);
                break;
        }
    }

    // Where the machine slept or its wall clock was set, the system's clock is looked at more often than this one.
    private async Task LossIsSaidAsync(LeaseHandle handle)
    {
        if ((world.Faults & (Faults.ClientSleeps | Faults.ClientSteps | Faults.ClientPauses)) != Faults.None || handle.IsValid()) return;
        await client.PauseAsync(TimeSpan.FromMilliseconds(10)).ConfigureAwait(false);
        if (!handle.LostToken.IsCancellationRequested)
            world.Scheduler.Fail("lost", $"Token {handle.Token} of {handle.Resource} is over, and its holder is not told.");
    }

    private async Task EndAsync(LeaseHandle handle, Belief belief)
    {
        switch (_dice.Next(12))
        {
            case 0:
                var to = new TransferRequest
                {
                    Resource = handle.Resource, Owner = handle.Owner, Token = handle.Token, NewOwner = $"{client.Name}/heir",
                };
                await client.Service.TransferAsync(to).ConfigureAwait(false);
                break;
            case 1:
                await client.Service.BreakAsync(new()
                {
                    Resource = handle.Resource, Token = handle.Token, Reason = "simulated", Force = _dice.OneIn(3),
                    Grace = _dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)),
                }).ConfigureAwait(false);
                break;
        }

        // From here on nobody relies on it.
        belief.IsOver = true;
        await handle.DisposeAsync().ConfigureAwait(false);
    }

    // I8: a client that is not the holder, or not any more, is refused.
    private async Task UseOldTokenAsync(LeaseHandle old)
    {
        var owner = _dice.OneIn(3) ? "stranger" : old.Owner;
        if (_dice.OneIn(2))
        {
            var renewed = await client.Service.RenewAsync(
                new() { Resource = old.Resource, Owner = owner, Token = old.Token }).ConfigureAwait(false);
            if (owner != old.Owner && renewed.Refusal is null)
                world.Scheduler.Fail("I8", $"A stranger renewed token {old.Token} of {old.Resource}.");
        }
        else
        {
            var released = await client.Service.ReleaseAsync(
                new() { Resource = old.Resource, Owner = owner, Token = old.Token }).ConfigureAwait(false);
            if (owner != old.Owner && released.Refusal is null)
                world.Scheduler.Fail("I8", $"A stranger released token {old.Token} of {old.Resource}.");
        }
    }

    private static KeyLease LeaseOf(LeaseHandle handle) =>
        new() { Resource = handle.Resource, Owner = handle.Owner, Token = handle.Token };
}
