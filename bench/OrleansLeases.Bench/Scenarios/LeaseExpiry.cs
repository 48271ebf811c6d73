using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// Deadlines spread over one second. In that second a sample of the leases, and of the keys bound to them, is asked for at
// its very deadline, and a light load does something else; after it, and after the clean-up, all others are taken, each at
// the first try.
internal sealed class LeaseExpiry
{
    private const int Bystanders = 16;
    private const int Probers = 16;
    private const int Probes = 500;
    private const int PilotRequests = 2000;
    private const string Prefix = "expire/";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuietTime = 4 * Second;
    private static readonly TimeSpan StormTime = 1.5 * Second;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly Bench _bench;
    private readonly LeaseClient[] _first;
    private readonly LeaseClient[] _next;
    private readonly LeaseClient[] _probers;
    private readonly LeaseClient[] _quietProbers;
    private readonly LeaseClient[] _bystanders;
    private readonly long[] _held = new long[Bystanders];
    private readonly string _data;
    private readonly int _count;
    private readonly int _keys;
    private readonly int _pilot;
    private int _heldKeys;

    public LeaseExpiry(Bench bench, ServerProcess server, string data, int count, int keys)
    {
        (_bench, _data, _count, _keys, _pilot) = (bench, data, count, keys, PilotRequests / (1 + keys));
        _first = bench.LeaseClients(server, bench.Options.Clients, Prefix, "first");
        _next = bench.LeaseClients(server, bench.Options.Clients, Prefix, "next", Long);
        _probers = bench.LeaseClients(server, Probers, Prefix, "prober", Long);
        _quietProbers = bench.LeaseClients(server, Probers, "idle/", "prober", Long);
        _bystanders = bench.LeaseClients(server, Bystanders, "other/", "bystander", Long);
    }

    public void Run(int round, ExpiryFigures figures) => _bench.Loop.Run(() => RunAsync(round * (_count + _pilot), round, figures), Limit);

    private async Task RunAsync(int offset, int round, ExpiryFigures figures)
    {
        for (var i = 0; i < Bystanders && round == 0; i++)
            _held[i] = (await _bystanders[i].AcquireAsync(i)).Token;

        // Opened and asked once ahead of time: the first query takes the thread that makes the calls for a tenth of a second.
        using var store = _keys == 0 ? null : new LeaseFile(_data);
        store?.HasDueWithin(Long / 2);

        // The first few tell how long the rest will take: they all must be held before the quiet time.
        var start = Clock.Now;
        await FillAsync(_first, offset + _count, _pilot, _ => Clock.Now + Long, new TimeSpan[_pilot]);
        _heldKeys += _pilot * _keys;
        var fillTime = (Clock.Now - start) / _pilot * _count;
        var target = Clock.Now + fillTime * 1.4 + QuietTime + 2 * Second;
        var deadlines = new TimeSpan[_count];
        await FillAsync(_first, offset, _count, i => target + Second * i / _count, deadlines);
        if (Clock.Now > target - QuietTime)
            throw new BenchException("The leases were not all acquired before the quiet time: the machine slowed down too much.");

        var load = new PacedLoad(_bench.Loop, Bystanders, Interval);
        await _bench.Loop.WaitUntilAsync(target - QuietTime);
        var quiet = load.RunAsync(CallAsync, target - QuietTime, target - Second / 4);
        await _bench.Loop.WhenAll(Probers, prober => ProbeIdleAsync(prober, round, target - QuietTime));
        figures.Quiet.Add(await quiet);

        var isClean = _keys == 0;
        var storm = load.RunAsync(CallAsync, target, due => due < target + StormTime || !isClean);
        await _bench.Loop.WhenAll(Probers, prober => ProbeAsync(prober, offset, deadlines, figures));
        if (store is not null)
            figures.CleanAfter.Add(await CleanedUpAsync(store, target + Second) - (target + Second));
        isClean = true;
        figures.Storm.Add(await storm);
        CheckNoKeysAreLeft(store);
        await TakeRestAsync(offset, figures);
    }

    // No call tells what is still in the store; its file does.
    private async Task<TimeSpan> CleanedUpAsync(LeaseFile store, TimeSpan lastDeadline)
    {
        await _bench.Loop.WaitUntilAsync(lastDeadline);
        while (store.HasDueWithin(Long / 2))
        {
            if (Clock.Now > lastDeadline + 60 * Second)
                throw new BenchException("A minute after the last deadline there were still keys to clean up.");
            await _bench.Loop.WaitAsync(Second / 20);
        }

        return Clock.Now;
    }

    // Once nothing is timed any more: it reads the whole store on the thread that makes the calls.
    private void CheckNoKeysAreLeft(LeaseFile? store)
    {
        if (store?.BoundKeys() - _heldKeys is not (null or 0))
            throw new BenchException("Keys were left bound to leases that had ended.");
    }

    // Records for each lease a time at which its deadline has certainly passed.
    private Task FillAsync(LeaseClient[] clients, int offset, int count, Func<int, TimeSpan> deadline, TimeSpan[] over) =>
        _bench.Loop.WhenAll(clients.Length, async client =>
        {
            for (var i = client; i < count; i += clients.Length)
            {
                var grant = await clients[client].AcquireAsync(offset + i, deadline(i) - Clock.Now);
                over[i] = Clock.Now + grant.Remaining + Millisecond;
                for (var key = 0; key < _keys; key++)
                    await clients[client].PutKeyAsync((offset + i) * _keys + key, offset + i, grant.Token);
            }
        });

    private async Task ProbeAsync(int prober, int offset, TimeSpan[] deadlines, ExpiryFigures figures)
    {
        for (var probe = prober; probe < Probes; probe += Probers)
        {
            var i = probe * (_count / Probes);
            await _bench.Loop.WaitUntilAsync(deadlines[i]);
            if (_keys > 0 && await _probers[prober].HasKeyAsync((offset + i) * _keys + probe % _keys))
                figures.Visible++;
            if (!await _probers[prober].TryAcquireAsync(offset + i))
            {
                figures.Refused++;
                while (!await _probers[prober].TryAcquireAsync(offset + i))
                    await _bench.Loop.WaitAsync(Millisecond);
            }

            figures.Delay.Add(Clock.Now - deadlines[i]);
        }
    }

    // The same calls at the same pace for names nobody holds, so that quiet differs from storm by the expiries alone.
    private async Task ProbeIdleAsync(int prober, int round, TimeSpan start)
    {
        var probes = (int)(Probes * (QuietTime.TotalSeconds - 0.25));
        for (var probe = prober; probe < probes; probe += Probers)
        {
            await _bench.Loop.WaitUntilAsync(start + Second * probe / Probes);
            await _quietProbers[prober].AcquireAsync(round * probes + probe);
        }
    }

    private Task TakeRestAsync(int offset, ExpiryFigures figures) => _bench.Loop.WhenAll(_next.Length, async client =>
    {
        for (var i = client; i < _count; i += _next.Length)
        {
            if (i % (_count / Probes) == 0 && i / (_count / Probes) < Probes)
                continue;
            if (!await _next[client].TryAcquireAsync(offset + i))
                figures.Refused++;
        }
    });

    // Half the bystanders acquire and release, the others renew.
    private async ValueTask CallAsync(int client, Samples samples, TimeSpan due)
    {
        if (client % 2 == 0)
        {
            await _bystanders[client].RenewAsync(client, _held[client]);
            samples.Add(Clock.Now - due);
            return;
        }

        var name = Bystanders + client;
        var grant = await _bystanders[client].AcquireAsync(name);
        samples.Add(Clock.Now - due);
        var released = Clock.Now;
        await _bystanders[client].ReleaseAsync(name, grant.Token);
        samples.Add(Clock.Now - released);
    }
}
