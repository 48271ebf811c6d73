using Npgsql;
using OrleansLeases.Client;
using OrleansLeases.Fencing.PostgreSql;

namespace GuardedTable;

/// <summary>Adds to a balance under a lease: reads it, makes sure that the lease is valid, and writes the sum.</summary>
internal static class Worker
{
    public const string Verb = "worker";
    public const string Account = "account/1";

    public static async Task RunAsync(Uri server, string database, long amount, bool fenced)
    {
        using var http = new HttpClient { BaseAddress = server };
        await using var source = NpgsqlDataSource.Create(database);
        await using var leases = new LeaseClient(new HttpLeaseService(http));
        await using var lease = await leases.AcquireAsync(Account, new() { Ttl = TimeSpan.FromSeconds(5) });

        await using var read = source.CreateCommand("select balance from account");
        var sum = (long)(await read.ExecuteScalarAsync())! + amount;
        if (!lease.IsValid()) throw new TimeoutException($"The lease was over before anything happened: {lease.Loss?.Detail}");

        // Any time may pass here, whatever was checked above.
        Console.WriteLine($"Token {lease.Token}: about to write {sum}");
        await Console.In.ReadLineAsync();

        try
        {
            if (fenced)
            {
                await new LeaseFence(source).RunAsync(Account, lease.Token, (connection, _) => WriteAsync(connection, sum));
            }
            else
            {
                await using var connection = await source.OpenConnectionAsync();
                await WriteAsync(connection, sum);
            }

            Console.WriteLine($"Token {lease.Token}: {sum} is written");
        }
        catch (StaleTokenException stale)
        {
            Console.WriteLine($"Token {lease.Token}: {stale.Message}");
        }
    }

    private static async Task WriteAsync(NpgsqlConnection connection, long sum)
    {
        await using var write = new NpgsqlCommand("update account set balance = $1", connection) { Parameters = { new() { Value = sum } } };
        await write.ExecuteNonQueryAsync();
    }
}
