namespace OrleansLeases.Client.Internal;

/// <summary>
/// The addresses of one service, and which of them to ask: the one that answers, until it fails. One that failed rests for a
/// while, longer each time; then it is as good as any. Thread-safe.
/// </summary>
internal sealed class ServerList
{
    private readonly Lock _gate = new();
    private readonly Server[] _servers;
    private readonly TimeProvider _time;
    private readonly long _start;
    private int _favourite;

    public ServerList(IEnumerable<Uri> addresses, TimeProvider time, Random random)
    {
        _servers = [.. addresses.Select(address => new Server(address, random))];
        (_time, _start) = (time, time.GetTimestamp());
    }

    public int Count => _servers.Length;

    public IReadOnlyList<Server> All => _servers;

    public TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Which server to ask next; null where no other is left.</summary>
    /// <param name="tried">The servers that this call has tried.</param>
    /// <param name="alsoResting">
    /// Where all others rest, the one that failed longest ago: each gets its attempt, and none is tried repeatedly.
    /// </param>
    public Server? Next(IReadOnlyCollection<Server> tried, bool alsoResting)
    {
        lock (_gate)
        {
            var now = Now;
            Server? rested = null;
            for (var i = 0; i < _servers.Length; i++)
            {
                var server = _servers[(_favourite + i) % _servers.Length];
                if (tried.Contains(server)) continue;
                if (server.RestsUntil <= now) return server;
                if (rested is null || server.FailedAt < rested.FailedAt) rested = server;
            }

            return alsoResting ? rested : null;
        }
    }

    /// <summary>The server responded. Calls go to it first from now on if the former first server has failed.</summary>
    /// <param name="server">The server.</param>
    /// <returns>The former first server; null where it is the same.</returns>
    public Server? Answered(Server server)
    {
        lock (_gate)
        {
            var now = Now;
            server.Answered_NeedsLock(now);
            // Though it may have had its rest: what a call waits for at a silent server is longer than that.
            var former = _servers[_favourite];
            if (!former.HasFailed) return null;
            _favourite = Array.IndexOf(_servers, server);
            return former;
        }
    }

    /// <summary>It could not be reached, broke off, or said that it cannot answer.</summary>
    /// <param name="server">The server.</param>
    /// <param name="refusal">What it said, or is said of it.</param>
    public void Failed(Server server, Refusal refusal)
    {
        lock (_gate) server.Failed_NeedsLock(refusal, Now);
    }

    /// <summary>It did not answer in time.</summary>
    /// <param name="server">The server.</param>
    /// <param name="sentAt">When the call was sent.</param>
    public void Silent(Server server, TimeSpan sentAt)
    {
        lock (_gate) server.Silent_NeedsLock(sentAt, Now);
    }
}
