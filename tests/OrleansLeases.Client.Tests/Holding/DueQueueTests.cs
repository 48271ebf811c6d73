using OrleansLeases.Client.Holding;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Holding;

public sealed class DueQueueTests
{
    [Fact]
    public void Queue_WhateverIsDoneToIt_HasTheEarliestFirst() => Runs.Check(500, 200, kinds: 3, Run);

    private static void Run(Step[] history)
    {
        var queue = new DueQueue();
        var leases = Enumerable.Range(0, 40).Select(number => NewLease($"r{number}")).ToArray();
        var expected = new Dictionary<HeldLease, TimeSpan>();
        foreach (var step in history)
        {
            var lease = leases[step.A % leases.Length];
            if (step.Kind == 0)
            {
                queue.Remove(lease);
                expected.Remove(lease);
            }
            else
            {
                var dueAt = TimeSpan.FromSeconds(step.B % 50);
                queue.Set(lease, dueAt);
                expected[lease] = dueAt;
            }

            Assert.Equal(expected.Count, queue.Count);
            if (queue.TryPeek(out var first)) Assert.Equal(expected.Values.Min(), expected[first]);
        }

        for (var before = TimeSpan.Zero; queue.TryPeek(out var next); before = next.DueAt)
        {
            Assert.True(expected.Remove(next, out var dueAt));
            Assert.True(dueAt >= before);
            queue.Remove(next);
        }

        Assert.Empty(expected);
    }

    private static HeldLease NewLease(string resource) => new(
        new()
        {
            Resource = resource, Owner = "ann", Token = 1, Mode = LeaseMode.Exclusive, RequestId = "1",
            Ttl = TimeSpan.FromSeconds(1), Remaining = TimeSpan.FromSeconds(1), Elapsed = TimeSpan.Zero, RenewAfter = TimeSpan.Zero,
        },
        TimeSpan.Zero, TimeSpan.Zero, Random.Shared, drift: 0);
}
