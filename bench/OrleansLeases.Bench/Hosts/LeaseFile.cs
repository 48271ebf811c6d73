using Microsoft.Data.Sqlite;

namespace OrleansLeases.Bench.Hosts;

// The store of a running lease server, looked at from outside.
internal sealed class LeaseFile : IDisposable
{
    private readonly SqliteConnection _connection;

    public LeaseFile(string data)
    {
        var file = Path.Combine(data, "leases.db");
        _connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        _connection.Open();
    }

    // A lease is due at its stored horizon, which is no later than twice its time to live from now, and from its end until
    // its last key is cleaned up.
    public bool HasDueWithin(TimeSpan time)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT EXISTS (SELECT 1 FROM lease WHERE due < unixepoch() * 1000 + $time)";
        command.Parameters.AddWithValue("$time", (long)time.TotalMilliseconds);
        return (long)command.ExecuteScalar()! == 1;
    }

    public long BoundKeys()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM keys WHERE json_extract(state, '$.b') IS NOT NULL";
        return (long)command.ExecuteScalar()!;
    }

    public void Dispose() => _connection.Dispose();
}
