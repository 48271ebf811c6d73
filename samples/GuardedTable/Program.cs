// A worker is stopped past its lease's deadline, another takes over, and the first wakes up and writes what it had in
// mind: once without the fence and once with it. Then somebody writes under a token that nobody was granted. It takes a
// PostgreSQL, and leaves nothing behind there:
//
//   dotnet run --project samples/GuardedTable -- "Host=localhost;Username=postgres;Password=…"
using GuardedTable;
using Npgsql;
using OrleansLeases.Fencing.PostgreSql;
using Samples;

if (args is [Worker.Verb, var address, var database, var amount, var isFenced])
{
    await Worker.RunAsync(new Uri(address), database, long.Parse(amount), bool.Parse(isFenced));
    return 0;
}

if (args is not [var postgres])
{
    Console.Error.WriteLine("""usage: dotnet run --project samples/GuardedTable -- "Host=localhost;Username=postgres;Password=…" """);
    return 2;
}

await using var server = await LocalServer.StartAsync();
var schema = $"guarded_table_{Environment.ProcessId}";
var connectionString = new NpgsqlConnectionStringBuilder(postgres) { SearchPath = schema }.ConnectionString;
await using var source = NpgsqlDataSource.Create(connectionString);
await ExecuteAsync($"create schema {schema}");
try
{
    await new LeaseFence(source).InstallAsync();
    await ExecuteAsync("create table account (balance bigint not null)");
    var without = await PauseAsync(fenced: false);
    var with = await PauseAsync(fenced: true);
    var isRefused = await MakeUpAsync();
    return without == 110 && with == 120 && isRefused ? 0 : 1;
}
finally
{
    await ExecuteAsync($"drop schema {schema} cascade");
}

async Task<long> PauseAsync(bool fenced)
{
    Console.WriteLine(fenced ? "With the fence:" : "Without a fence:");
    await ExecuteAsync("delete from account; insert into account values (100)");
    using var first = Start("first", amount: 10, fenced);
    await first.HearAsync();
    first.Stop();
    Console.WriteLine("  It is stopped; its lease runs out.");

    // It stands in line until the first one's lease has run out.
    using var second = Start("second", amount: 20, fenced);
    await second.HearAsync();
    await GoOnAsync(second);

    Console.WriteLine("  The first one wakes up.");
    first.Continue();
    await GoOnAsync(first);

    await using var command = source.CreateCommand("select balance from account");
    var balance = (long)(await command.ExecuteScalarAsync())!;
    Console.WriteLine($"  The balance is {balance}: {(balance == 120 ? "nothing is lost" : "the 20 are lost")}.");
    return balance;
}

async Task<bool> MakeUpAsync()
{
    Console.WriteLine("With a token that nobody was granted:");
    try
    {
        const long MadeUp = (1L << 53) - 1;
        await new LeaseFence(source).RunAsync(Worker.Account, MadeUp, (_, _) => Task.CompletedTask);
        return false;
    }
    catch (UnknownEpochException unknown)
    {
        Console.WriteLine($"  {unknown.Message}");
        return true;
    }
}

ChildProcess Start(string name, long amount, bool fenced) =>
    ChildProcess.Start(name, Worker.Verb, server.Address, connectionString, $"{amount}", $"{fenced}");

static async Task GoOnAsync(ChildProcess worker)
{
    await worker.TellAsync();
    await worker.ToTheEndAsync();
}

async Task ExecuteAsync(string sql)
{
#pragma warning disable CA2100 // Statements of this file.
    await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
    await command.ExecuteNonQueryAsync();
}
