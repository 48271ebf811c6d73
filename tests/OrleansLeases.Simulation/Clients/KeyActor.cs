using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Clients;

/// <summary>Reads bound keys, writes free-standing ones and adds to counters; what it is told goes into their histories.</summary>
internal sealed class KeyActor(World world, SimClient client)
{
    private readonly Scheduling.Dice _dice = client.Dice.Fork();
    private readonly TimedKey _timed = new(world, client);

    public async Task RunAsync()
    {
        while (!world.IsEnding)
        {
            await client.PauseAsync(_dice.Skewed(TimeSpan.FromMilliseconds(1), world.Seldom(1) / 2)).ConfigureAwait(false);
            switch (_dice.Next(world.Drops ? 16 : 13))
            {
                case 0 or 1 or 2:
                    await client.Service.GetKeyAsync(_dice.Pick(world.Names.BoundKeys)).ConfigureAwait(false);
                    break;
                case 3:
                    await client.Service.ListKeysAsync(new() { Prefix = "bound/" }).ConfigureAwait(false);
                    break;
                case 4 or 5:
                    await AddAsync(world.Counters[_dice.Next(world.Counters.Count)]).ConfigureAwait(false);
                    break;
                case 6 or 7:
                    await PutAsync(world.Registers[_dice.Next(world.Registers.Count)]).ConfigureAwait(false);
                    break;
                case 8:
                    await ReadAsync(world.Registers[_dice.Next(world.Registers.Count)]).ConfigureAwait(false);
                    break;
                case 9:
                    await _timed.PutAsync().ConfigureAwait(false);
                    break;
                case 10 or 11:
                    await _timed.ReadAsync().ConfigureAwait(false);
                    break;
                case 12:
                    await ListAsync().ConfigureAwait(false);
                    break;
                default:
                    await DeleteAsync(world.Registers[_dice.Next(world.Registers.Count)]).ConfigureAwait(false);
                    break;
            }
        }
    }

    // Repeated with its request id until it is known, or given up.
    private async Task AddAsync(CounterHistory counter)
    {
        var request = new AddToCounterRequest { Delta = _dice.Between(1, 9), RequestId = client.NewRequestId() };
        var addition = counter.Begin(request.Delta, world.Scheduler.Now);
        for (var tries = _dice.Between(1, 4); tries > 0; tries--)
        {
            var result = await client.Service.AddToCounterAsync(counter.Key, request).ConfigureAwait(false);
            if (result.TryGetValue(out var added, out _))
            {
                counter.End(addition, added.Value, world.Scheduler.Now);
                return;
            }
        }
    }

    private async Task PutAsync(RegisterHistory register)
    {
        var value = register.NextValue();
        var request = new PutKeyRequest
        {
            Value = value, RequestId = client.NewRequestId(), IfVersion = _dice.OneIn(2) ? register.Newest : null,
        };
        var put = register.BeginPut(value, request.IfVersion, world.Scheduler.Now);
        for (var tries = _dice.Between(1, 4); tries > 0; tries--)
        {
            var result = await client.Service.PutKeyAsync(register.Key, request).ConfigureAwait(false);
            if (result.TryGetValue(out var written, out _))
            {
                register.EndPut(put, written.Version, world.Scheduler.Now);
                return;
            }
        }
    }

    private async Task DeleteAsync(RegisterHistory register)
    {
        var deletion = register.BeginDelete(world.Scheduler.Now);
        var result = await client.Service.DeleteKeyAsync(register.Key).ConfigureAwait(false);
        // What nobody heard of may come at any time, and so may a repeat, which no request id names.
        if (result.Refusal is null && !world.Faults.HasFlag(Faults.Duplicates)) deletion.Returned = world.Scheduler.Now;
    }

    private async Task ReadAsync(RegisterHistory register)
    {
        var asked = world.Scheduler.Now;
        var result = await client.Service.GetKeyAsync(register.Key).ConfigureAwait(false);
        if (result.TryGetValue(out var value, out var refusal)) register.Read(value.Value, value.Version, asked, world.Scheduler.Now);
        else if (refusal is Refusal.NotFound) register.Read(null, 0, asked, world.Scheduler.Now);
    }

    private async Task ListAsync()
    {
        var result = await client.Service.ListAsync(new() { State = LeaseFilter.Any, PageSize = _dice.Between(1, 10) })
            .ConfigureAwait(false);
        if (!result.TryGetValue(out var page, out _)) return;
        for (var i = 1; i < page.Leases.Count; i++)
        {
            if (string.CompareOrdinal(page.Leases[i - 1].Resource, page.Leases[i].Resource) >= 0)
                world.Scheduler.Fail("listing", $"{page.Leases[i].Resource} was listed after {page.Leases[i - 1].Resource}.");
        }
    }
}
