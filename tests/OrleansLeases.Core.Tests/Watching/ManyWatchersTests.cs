namespace OrleansLeases.Core.Tests;

/// <summary>
/// Watchers beside keepers that store, stop, forget and are replaced at any moment: each sees every change once and in order, or
/// resync.
/// </summary>
public sealed class ManyWatchersTests
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Record_WhoseKeepersComeAndGo_IsSeenWithoutAGap(int seed)
    {
        const int Last = 20_000;
        var record = new Record(remembers: 64);
        using var watches = new Watches(TimeProvider.System);
        var readers = Enumerable.Range(0, 20).Select(i => Task.Run(() => ReadAsync(i))).ToList();
        var random = new Random(seed);
        while (record.Last < Last)
        {
            record.Change(random.Next(1, 4));
            if (random.Next(50) == 0) record.ReplaceKeeper();
            // Bursts and pauses: some readers keep up, others fall behind.
            if (random.Next(20) == 0) await Task.Yield();
            if (random.Next(200) == 0) Thread.SpinWait(random.Next(20_000));
        }

        var resyncs = await Task.WhenAll(readers).WaitAsync(WaitTimeout);
        Assert.All(resyncs, count => Assert.InRange(count, 0, Last / 64));

        async Task<int> ReadAsync(int reader)
        {
            var since = reader % 2 == 0 ? new WatchPoint(0) : default(WatchPoint?);
            var watch = (await watches.StartAsync(since, record.StartAsync)).Value;
            var (seen, resyncs, mayJump) = (0L, 0, since is null);
            await foreach (var told in watch)
            {
                switch (told)
                {
                    case WatchEvent.Resync:
                        Assert.False(mayJump, "Resync came twice, or before the state.");
                        (resyncs, mayJump) = (resyncs + 1, true);
                        continue;
                    case WatchEvent.KeySnapshot state:
                        Assert.True(mayJump, "The state came without a word.");
                        Assert.InRange(state.Key.Version, seen, long.MaxValue);
                        (seen, mayJump) = (state.Key.Version, false);
                        break;
                    case WatchEvent.KeyChanged changed:
                        Assert.False(mayJump, "The state is missing.");
                        Assert.Equal(++seen, changed.Key.Version);
                        break;
                }

                Assert.Equal(new WatchPoint(seen, 7), told.ResumeFrom);
                if (seen >= Last) break;
            }

            Assert.InRange(seen, Last, long.MaxValue);
            return resyncs;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Prefix_WithManyNamesAtOnce_IsSeenWithoutAGapThatIsNotTold(int seed)
    {
        const int Names = 16;
        const int Changes = 5_000;
        var prefixes = new PrefixWatchers();
        using var watches = new Watches(TimeProvider.System);
        var readers = Enumerable.Range(0, 4).Select(i => (i, Watch: watches.StartPrefix(prefixes, i == 0 ? "" : "a/"))).ToList();
        var reading = readers.Select(reader => Task.Run(() => ReadAsync(reader.Watch, slow: reader.i == 3))).ToList();

        await Task.WhenAll(Enumerable.Range(0, Names).Select(name => Task.Run(async () =>
        {
            var random = new Random(seed * Names + name);
            for (var last = 0L; last < Changes;)
            {
                var before = last;
                last = Math.Min(Changes, last + random.Next(1, 3));
                // One keeper does not know what another one stored, and has heard too late to tell all of it.
                prefixes.Publish($"a/{name}", new History(random.Next(500) == 0 ? last : 1, last), before);
                if (random.Next(500) == 0) prefixes.Lose($"a/{name}");
                if (random.Next(10) == 0) await Task.Yield();
            }
        })));
        // One more of each, until every reader has seen it: a resync may have swallowed the last ones.
        var end = Changes;
        while (!reading.TrueForAll(task => task.IsCompleted))
        {
            end++;
            for (var name = 0; name < Names; name++) prefixes.Publish($"a/{name}", new History(1, end), end - 1);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        await Task.WhenAll(reading).WaitAsync(WaitTimeout);

        async Task ReadAsync(LeaseWatch watch, bool slow)
        {
            var seen = new Dictionary<string, long>();
            var mayJump = new HashSet<string>();
            var done = new HashSet<string>();
            await foreach (var told in watch)
            {
                Assert.Null(told.ResumeFrom);
                if (told is WatchEvent.Resync)
                {
                    for (var i = 0; i < Names; i++) mayJump.Add($"a/{i}");
                    continue;
                }

                var change = Assert.IsType<WatchEvent.KeyChanged>(told).Key;
                var last = seen.GetValueOrDefault(change.Key);
                if (mayJump.Remove(change.Key)) Assert.InRange(change.Version, last + 1, long.MaxValue);
                else Assert.Equal(last + 1, change.Version);
                seen[change.Key] = change.Version;
                if (change.Version > Changes) done.Add(change.Key);
                if (done.Count == Names) return;
                if (slow) Thread.SpinWait(200);
            }
        }
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(7, false)]
    public async Task Record_IsFollowed_WhileItRemembersTheNextChange(long first, bool followed)
    {
        var known = new History(1, 5);
        var broadcaster = new RecordBroadcaster(known);
        await using var events =
            new RecordWatch(broadcaster, "a", known, WatchEvent.Resync.Instance, new(5), history: 7).Start().GetAsyncEnumerator();
        var next = events.MoveNextAsync();
        broadcaster.Publish(new History(first, 8));
        Assert.Equal(followed, await next.AsTask().WaitAsync(WaitTimeout));
        if (followed) Assert.Equal(6, Assert.IsType<WatchEvent.KeyChanged>(events.Current).Key.Version);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Record_IsReplayed_WhereItRemembersTheNextChange_AndGaveOutTheLast(long since, bool replayed)
    {
        var record = new History(3, 5);
        var broadcaster = new RecordBroadcaster(record);
        var state = new WatchEvent.KeySnapshot(new KeyInfo { Key = "a", Version = 5 });
        await using var events = new RecordWatch(broadcaster, "a", record, state, new(since), history: 7).Start().GetAsyncEnumerator();
        broadcaster.Publish(new History(3, 6));

        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));

        if (replayed) Assert.Equal(new WatchPoint(since + 1, 7), Assert.IsType<WatchEvent.KeyChanged>(events.Current).ResumeFrom);
        else Assert.IsType<WatchEvent.Resync>(events.Current);
    }

    // It begins above a floor. What number a watcher saw before, its record was dropped since; and the floor may never be stored.
    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(48)]
    public async Task Record_ThatIsNotInUse_KnowsNoNumber_AndGivesNoneOut(long since)
    {
        var unused = new History(49, 48);
        await using var events =
            new RecordWatch(new RecordBroadcaster(unused), "a", unused, WatchEvent.Resync.Instance, new(since), history: 7)
                .Start().GetAsyncEnumerator();

        Assert.True(await events.MoveNextAsync());
        Assert.Null(events.Current.ResumeFrom);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(0, events.Current.ResumeFrom!.Value.Sequence);
    }

    // After the reader has looked and before it waits, which two threads meet once in some thousand changes.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Record_ShownOrEndedWhileSomebodyLooks_IsNeverOverlooked(bool shown)
    {
        RecordBroadcaster? broadcaster = null;
        broadcaster = new RecordBroadcaster(new LookedAt(() =>
        {
            if (shown) broadcaster!.Publish(new History(1, 1));
            else broadcaster!.End();
        }));

        var next = await broadcaster.AfterAsync(0, CancellationToken.None).AsTask().WaitAsync(WaitTimeout);

        Assert.Equal(shown ? 1 : null, next?.Last);
    }

    [Fact]
    public async Task Prefix_ThatNobodyReads_CostsOneFullQueueAtMost()
    {
        var prefixes = new PrefixWatchers();
        using var watches = new Watches(TimeProvider.System);
        await using var unread = watches.StartPrefix(prefixes, "");
        for (var last = 1; last <= 100_000; last++) prefixes.Publish("a", new History(1, last), last - 1);

        var told = 0;
        await foreach (var change in unread)
        {
            if (change is WatchEvent.Resync) break;
            Assert.Equal(++told, Assert.IsType<WatchEvent.KeyChanged>(change).Key.Version);
        }

        Assert.Equal(4_096, told);
    }

    [Fact]
    public async Task Prefix_ThatIsRead_IsNeverCutOff()
    {
        var prefixes = new PrefixWatchers();
        using var watches = new Watches(TimeProvider.System);
        await using var events = watches.StartPrefix(prefixes, "").GetAsyncEnumerator();
        for (var last = 1; last <= 10_000; last++)
        {
            prefixes.Publish("a", new History(1, last, new string('x', 5_000)), last - 1);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal(last, Assert.IsType<WatchEvent.KeyChanged>(events.Current).Key.Version);
        }
    }

    [Fact]
    public async Task Prefix_ThatIsLetGo_OrCutOff_CostsNothingMore()
    {
        var prefixes = new PrefixWatchers();
        using var watches = new Watches(TimeProvider.System);
        await watches.StartPrefix(prefixes, "").DisposeAsync();
        await using (var read = watches.StartPrefix(prefixes, "").GetAsyncEnumerator())
        {
            prefixes.Publish("a", new History(1, 1), 0);
            Assert.True(await read.MoveNextAsync());
        }

        prefixes.Publish("a", new Unasked(), 1);
        await using var unread = watches.StartPrefix(prefixes, "");
        for (var last = 2; last <= 5_000; last++) prefixes.Publish("a", new History(1, last), last - 1);

        prefixes.Publish("a", new Unasked(), 5_000);
    }

    [Fact]
    public async Task Prefix_WithLargeValues_HoldsFewerOfThem()
    {
        var prefixes = new PrefixWatchers();
        using var watches = new Watches(TimeProvider.System);
        await using var unread = watches.StartPrefix(prefixes, "");
        for (var last = 1; last <= 1_000; last++) prefixes.Publish("a", new History(1, last, new string('x', 65_536)), last - 1);

        var told = 0;
        await foreach (var change in unread)
        {
            if (change is WatchEvent.Resync) break;
            told++;
        }

        Assert.Equal(4_096 / 17, told);
    }

    /// <summary>A record that any keeper may change, and remembers some changes.</summary>
    private sealed class Record(int remembers)
    {
        private readonly Lock _gate = new();
        private RecordBroadcaster? _broadcaster;
        private long _last;

        public long Last => Volatile.Read(ref _last);

        public void Change(int by)
        {
            lock (_gate)
            {
                _last += by;
                _broadcaster?.Publish(Now());
            }
        }

        public void ReplaceKeeper()
        {
            lock (_gate)
            {
                // What it stored last it has not told.
                _last++;
                _broadcaster?.End();
                _broadcaster = null;
            }
        }

        public Task<LeaseResult<LeaseWatch>> StartAsync(WatchPoint? since)
        {
            lock (_gate)
            {
                _broadcaster ??= new(Now());
                var state = new WatchEvent.KeySnapshot(new KeyInfo { Key = "a", Version = _last });
                return Task.FromResult<LeaseResult<LeaseWatch>>(
                    new RecordWatch(_broadcaster, "a", Now(), state, since, history: 7).Start());
            }
        }

        private History Now() => new(Math.Max(1, _last - remembers + 1), _last);
    }

    private sealed class Unasked : IHistory
    {
        public long First => throw new InvalidOperationException("Somebody is still there.");

        public long Last => throw new InvalidOperationException("Somebody is still there.");

        public IEnumerable<WatchEvent> After(string name, long sequence) => throw new InvalidOperationException("Somebody is still there.");
    }

    private sealed record History(long First, long Last, string? Value = null) : IHistory
    {
        public IEnumerable<WatchEvent> After(string name, long sequence)
        {
            for (var version = Math.Max(sequence + 1, First); version <= Last; version++)
                yield return new WatchEvent.KeyChanged(
                    new KeyChange { Key = name, Version = version, Kind = KeyEventKind.KeyPut, At = default, Value = Value });
        }
    }

    // Nothing has happened, and something does as soon as somebody has looked.
    private sealed record LookedAt(Action Happens) : IHistory
    {
        public long First => 1;

        public long Last
        {
            get
            {
                Happens();
                return 0;
            }
        }

        public IEnumerable<WatchEvent> After(string name, long sequence) => [];
    }
}
