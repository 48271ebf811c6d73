using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Which connections make room, and for whom, where there are as many as there may be.</summary>
public sealed class ConnectionBoundTests : IDisposable
{
    private readonly LogRecords _log = new();
    private readonly LoggerFactory _loggers;
    private readonly ConnectionBound _bound;

    public ConnectionBoundTests()
    {
        _loggers = new LoggerFactory([_log]);
        _bound = new ConnectionBound(20, "Do something.", _loggers.CreateLogger<ConnectionBound>());
    }

    public void Dispose() => _loggers.Dispose();

    [Fact]
    public void Connection_BeyondTheBound_TakesThePlaceOfTheOldestSilentOne()
    {
        Connection[] flood = [.. Enumerable.Range(0, 18).Select(_ => Enter())];
        flood[0].Place!.Hear();

        var next = Enter();

        Assert.False(next.Place!.IsInReserve);
        Assert.Equal([1], Ended(flood));
        next.Place.Hear();
        var afterNext = Enter();
        Assert.False(afterNext.Place!.IsInReserve);
        Assert.Equal([1, 2], Ended(flood));
        Assert.False(next.IsEnded);
    }

    [Fact]
    public void Connections_WhereAllAreHeard_FindTheReserve_AndThenNoPlace()
    {
        for (var i = 0; i < 18; i++) Enter().Place!.Hear();

        var reserve = new[] { Enter(), Enter() };
        Assert.All(reserve, connection => Assert.True(connection.Place!.IsInReserve));
        // Nobody was heard on the first of them, so the next one has its place once it is gone.
        Assert.True(reserve[0].IsEnded);
        Assert.Null(Enter().Place);
        reserve[0].Place!.Leave();
        Assert.True(Enter().Place!.IsInReserve);
    }

    [Fact]
    public void Connection_ThatWasEnded_CountsUntilItHasEnded()
    {
        Connection[] flood = [.. Enumerable.Range(0, 20).Select(_ => Enter())];
        Assert.Equal([0, 1], Ended(flood));

        Assert.Null(Enter().Place);
        flood[0].Place!.Leave();
        flood[0].Place!.Leave();

        Assert.NotNull(Enter().Place);
        Assert.Null(Enter().Place);
    }

    [Fact]
    public void Bound_ThatIsReached_IsLoggedOnce_AndSoIsTheRoomAfterIt()
    {
        Connection[] flood = [.. Enumerable.Range(0, 25).Select(_ => Enter())];
        foreach (var connection in flood.Take(5)) connection.Place!.Leave();
        Assert.Equal([7301, 7302], _log.OfGateway.Select(record => record.Id));
        Assert.Contains("Do something.", _log.Texts.First(), StringComparison.Ordinal);
        Assert.Contains("7 were turned away", _log.Texts.Last(), StringComparison.Ordinal);
    }

    private static IEnumerable<int> Ended(Connection[] flood) => flood.Index().Where(one => one.Item.IsEnded).Select(one => one.Index);

    private Connection Enter()
    {
        var connection = new Connection();
        connection.Place = _bound.Enter(connection);
        return connection;
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public ConnectionPlace? Place { get; set; }

        public bool IsEnded { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsEnded = true;
    }
}
