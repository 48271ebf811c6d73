using System.Threading.Channels;
using Npgsql;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>What goes to the database together, and when.</summary>
public sealed class BatcherTests
{
    private readonly Channel<Batch> _atTheDatabase = Channel.CreateUnbounded<Batch>();

    [Fact]
    public async Task Item_GoesAtOnce_AndOthersGatherWhileItIsAway()
    {
        var batcher = New(most: 1);
        batcher.Add(new("a"));
        var first = await NextAsync();
        Assert.Equal("a", first.Names);

        foreach (var name in new[] { "b", "c", "d" }) batcher.Add(new(name));
        Assert.False(_atTheDatabase.Reader.TryRead(out _));
        first.Finish();
        Assert.Equal("b c d", (await NextAsync()).Names);
    }

    [Fact]
    public async Task Batches_AreAFewAtOnce_AndOfABoundedSize()
    {
        var batcher = New(most: 2, size: 2);
        batcher.Add(new("a"));
        var one = await NextAsync();
        batcher.Add(new("b"));
        var other = await NextAsync();
        foreach (var name in new[] { "c", "d", "e" }) batcher.Add(new(name));
        Assert.False(_atTheDatabase.Reader.TryRead(out _));

        other.Finish();
        var next = await NextAsync();
        one.Finish();
        Assert.Equal(["c d", "e"], [next.Names, (await NextAsync()).Names]);
    }

    [Fact]
    public async Task Items_OfOneKey_AreAtTheDatabaseOneAfterTheOther()
    {
        var batcher = New(most: 2);
        var (first, second) = (new Item("a"), new Item("a"));
        batcher.Add(first);
        var one = await NextAsync();
        batcher.Add(second);
        batcher.Add(new("b"));
        var other = await NextAsync();
        // The second goes neither into the batch of others nor into one of its own, though there is room.
        Assert.Equal("b", other.Names);
        other.Finish();
        batcher.Add(new("c"));
        Assert.Equal("c", (await NextAsync()).Names);

        one.Finish();
        await first.Task.WaitAsync(Calls.WaitTimeout);
        var next = await NextAsync();
        Assert.Equal("a", next.Names);
        next.Finish();
        await second.Task.WaitAsync(Calls.WaitTimeout);
    }

    [Fact]
    public async Task Background_GoesInSmallPortions_WhileSomebodyWaits()
    {
        var batcher = New(most: 1, size: 16);
        batcher.Add(new("first"));
        var first = await NextAsync();
        for (var i = 0; i < 3; i++) batcher.Add(new($"background{i}"), background: true);
        batcher.Add(new("a"));
        batcher.Add(new("b"));

        first.Finish();
        var second = await NextAsync();
        Assert.Equal("a b background0", second.Names);
        second.Finish();
        Assert.Equal("background1 background2", (await NextAsync()).Names);
    }

    [Fact]
    public async Task BadItem_FailsAlone_WhereItCanBeTheReason()
    {
        var batcher = New(most: 1);
        batcher.Add(new("first"));
        var first = await NextAsync();
        var items = Enumerable.Range(0, 7).Select(i => new Item($"{i}")).ToArray();
        foreach (var item in items) batcher.Add(item);
        first.Finish();

        while (!items.All(item => item.Task.IsCompleted))
        {
            var batch = await NextAsync();
            if (batch.Items.Contains(items[4])) batch.Fail(new PostgresException("too long", "ERROR", "ERROR", "54000"));
            else batch.Finish();
            await batch.Seen.WaitAsync(Calls.WaitTimeout);
        }

        await Assert.ThrowsAsync<PostgresException>(() => items[4].Task);
        Assert.Equal(6, items.Count(item => item.Task.IsCompletedSuccessfully));
    }

    [Theory]
    [InlineData("FATAL", "57P01")] // it may have been committed
    [InlineData("ERROR", "40003")]
    [InlineData("ERROR", "53100")] // the disk is as full for each of them
    [InlineData("FATAL", "53300")]
    public async Task Batch_ThatFailsOtherwise_FailsAsAWhole_AndIsNotSentAgain(string severity, string state)
    {
        var batcher = New(most: 1);
        batcher.Add(new("first"));
        var first = await NextAsync();
        var items = new[] { new Item("a"), new Item("b") };
        foreach (var item in items) batcher.Add(item);
        first.Finish();
        (await NextAsync()).Fail(new PostgresException("x", severity, severity, state));

        foreach (var item in items) await Assert.ThrowsAsync<PostgresException>(() => item.Task.WaitAsync(Calls.WaitTimeout));
        batcher.Add(new("later"));
        Assert.Equal("later", (await NextAsync()).Names);
    }

    private Batcher<Item> New(int most, int size = 100) => new(most, size, keysApart: true, async items =>
    {
        var batch = new Batch(items);
        await _atTheDatabase.Writer.WriteAsync(batch);
        await batch.RunAsync();
    });

    private Task<Batch> NextAsync() => _atTheDatabase.Reader.ReadAsync().AsTask().WaitAsync(Calls.WaitTimeout);

    private sealed class Item(string name) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), IBatchItem
    {
        public (RecordKind Kind, string Name) Key { get; } = (RecordKind.Lease, name);
    }

    private sealed class Batch(IReadOnlyList<Item> items)
    {
        private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<Item> Items => items;

        public string Names => string.Join(' ', items.Select(item => item.Key.Name));

        /// <summary>Ends when the items have what the database made of them.</summary>
        public Task Seen => _seen.Task;

        public void Finish() => _answer.SetResult();

        public void Fail(Exception error) => _answer.SetException(error);

        public async Task RunAsync()
        {
            try
            {
                await _answer.Task;
                foreach (var item in items) item.TrySetResult();
            }
            finally
            {
                _seen.SetResult();
            }
        }
    }
}
