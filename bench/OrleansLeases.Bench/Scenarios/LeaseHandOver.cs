using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// The waiter is a long poll that the server answers.
internal sealed class LeaseHandOver(Bench bench, ServerProcess server)
{
    private const int Pairs = 64;

    private static readonly TimeSpan UntilWaiting = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ShortTtl = TimeSpan.FromSeconds(1);

    private readonly LeaseClient[] _holders = bench.LeaseClients(server, Pairs, "handover/", "holder");
    private readonly LeaseClient[] _waiters = bench.LeaseClients(server, Pairs, "handover/", "waiter");

    // One pair at a time: from sending the release to the waiter's receipt.
    public async Task AfterReleaseAsync(TimeSpan end, Samples samples)
    {
        for (var name = 0; Clock.Now < end; name = (name + 1) % Pairs)
        {
            var held = await _holders[0].AcquireAsync(name);
            var waiting = ReceiveAsync(_waiters[0], name);
            await bench.Loop.WaitAsync(UntilWaiting);
            var released = Clock.Now;
            await _holders[0].ReleaseAsync(name, held.Token);
            var (grant, received) = await waiting;
            if (received < released)
                throw new BenchException("A waiter was granted what was still held.");
            samples.Add(received - released);
            await _waiters[0].ReleaseAsync(name, grant.Token);
        }
    }

    // Many pairs, staggered: from the deadline the holder was told, by its own clock, to the waiter's receipt.
    public Task AfterExpiryAsync(TimeSpan end, Samples samples) => bench.Loop.WhenAll(Pairs, async name =>
    {
        await bench.Loop.WaitAsync(ShortTtl * name / Pairs);
        while (Clock.Now < end)
        {
            var sent = Clock.Now;
            var held = await _holders[name].AcquireAsync(name, ShortTtl);
            var deadline = sent + held.Elapsed + held.Remaining;
            var (grant, received) = await ReceiveAsync(_waiters[name], name);
            if (received < deadline)
                throw new BenchException("A waiter was granted a lease before its holder's deadline.");
            samples.Add(received - deadline);
            await _waiters[name].ReleaseAsync(name, grant.Token);
        }
    });

    private static async Task<(Grant Grant, TimeSpan Received)> ReceiveAsync(LeaseClient waiter, int name) =>
        (await waiter.WaitForAsync(name), Clock.Now);
}
