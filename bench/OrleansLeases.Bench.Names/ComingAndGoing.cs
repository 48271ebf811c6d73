using System.Globalization;

namespace OrleansLeases.Bench.Names;

/// <summary>Many names come and go while a light load goes on.</summary>
internal sealed class ComingAndGoing(INamesStore store, int names)
{
    private const int AtOnce = 64;
    private const int Callers = 4;

    // Of each caller. They are used for so often before the start that their histories grow no more.
    private const int NamesOfCaller = 4;
    private const int CyclesBefore = 600;
    private static readonly TimeProvider Clock = TimeProvider.System;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(20);

    public async Task RunAsync()
    {
        // What was there before: a tenth as many names that stay.
        await EachAsync(names / 10, "kept/base");
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < NamesOfCaller * CyclesBefore; i++) await CycleAsync(NameOf(caller, i));
        })));
        var (began, count) = (await store.SizeAsync(), await store.CountAsync());
        Say($"{count:#,0} names stay, in {Mebibytes(began)}");
        var quiet = await MeasureAsync(() => Task.Delay(Quiet, Clock));
        Say($"quiet: {quiet}");

        var start = Clock.GetTimestamp();
        await EachAsync(names, "task");
        Say($"{names:#,0} names came in {Clock.GetElapsedTime(start).TotalSeconds:0} s, then {Mebibytes(await store.SizeAsync())}");
        var most = await store.CountAsync();
        start = Clock.GetTimestamp();
        var meanwhile = await MeasureAsync(async () =>
        {
            while (await store.CountAsync() > count) await Task.Delay(TimeSpan.FromSeconds(1), Clock);
        });
        var took = Clock.GetElapsedTime(start).TotalSeconds;
        Say($"{most - count:#,0} names went within {took:0} s of the last, kept for {INamesStore.Retain.TotalSeconds:0} s");
        Say($"meanwhile: {meanwhile}; p99 is {meanwhile.P99 / quiet.P99:0.00} times the quiet one");
        var after = await store.SizeAsync();
        Say($"then {Mebibytes(after)}: {(double)after / began:0.000} times where it began");
        await store.CompactAsync();
        var compact = await store.SizeAsync();
        Say($"with its indexes built anew {Mebibytes(compact)}: {(double)compact / began:0.000} times");
    }

    private async Task EachAsync(int count, string prefix)
    {
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number <= count) await CycleAsync($"{prefix}/{number}");
        })));
    }

    // What others feel: acquires and releases of their own names, at a fixed pace.
    private async Task<Times> MeasureAsync(Func<Task> during)
    {
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var times = new List<double>();
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var start = Clock.GetTimestamp();
                await CycleAsync(NameOf(caller, i));
                times.Add(Clock.GetElapsedTime(start).TotalMilliseconds);
                await Task.Delay(Pace, Clock);
            }

            return times;
        })).ToList();
        await during();
        await stop.CancelAsync();
        double[] all = [.. (await Task.WhenAll(callers)).SelectMany(times => times).Order()];
        return new(all[all.Length / 2], all[all.Length * 99 / 100], all.Length);
    }

    private static string NameOf(int caller, int i) => $"kept/load/{caller}/{i % NamesOfCaller}";

    private async Task CycleAsync(string name)
    {
        var request = new AcquireRequest { Resource = name, Owner = "worker-1", Ttl = TimeSpan.FromSeconds(30) };
        var grant = (await store.Leases.AcquireAsync(request)).Value;
        _ = (await store.Leases.ReleaseAsync(new ReleaseRequest { Resource = name, Owner = grant.Owner, Token = grant.Token })).Value;
    }

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");

    private static void Say(FormattableString line) => Console.WriteLine(FormattableString.Invariant(line));

    private sealed record Times(double P50, double P99, int Cycles)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{Cycles:#,0} acquires with their releases, p50 {P50:0.00} ms, p99 {P99:0.00} ms");
    }
}
