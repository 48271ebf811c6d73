// A worker is stopped past its lease's deadline, another takes over, and the first wakes up and writes what it had in
// mind: once without the fence and once with it. It takes a PostgreSQL, and leaves nothing behind there:
//
//   dotnet run --project samples/GuardedTable -- "Host=localhost;Username=postgres;Password=…"
using GuardedTable;
using Npgsql;
using OrleansLeases;
using OrleansLeases.Embedded;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Gateway;

if (args is [Worker.Verb, var server, var database, var amount, var isFenced])
{
    await Worker.RunAsync(new Uri(server), database, long.Parse(amount), bool.Parse(isFenced));
    return 0;
}

if (args is not [var postgres])
{
    Console.Error.WriteLine("""usage: dotnet run --project samples/GuardedTable -- "Host=localhost;Username=postgres;Password=…" """);
    return 2;
}

// The lease service, in this process.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.Services.AddSingleton<ILeaseService>(EmbeddedLeases.InMemory());
builder.Services.AddLeaseGateway();
await using var app = builder.Build();
app.Urls.Add("http://127.0.0.1:0");
app.MapLeases();
await app.StartAsync();

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
    return without == 110 && with == 120 ? 0 : 1;
}
finally
{
    await ExecuteAsync($"drop schema {schema} cascade");
}

async Task<long> PauseAsync(bool fenced)
{
    Console.WriteLine(fenced ? "With the fence:" : "Without a fence:");
    await ExecuteAsync("delete from account; insert into account values (100)");
    using var first = WorkerProcess.Start(app.Urls.First(), connectionString, amount: 10, fenced);
    await first.UntilAboutToWriteAsync();
    first.Stop();

    // It stands in line until the first one's lease has run out.
    using var second = WorkerProcess.Start(app.Urls.First(), connectionString, amount: 20, fenced);
    await second.UntilAboutToWriteAsync();
    await second.GoOnAsync();

    first.Continue();
    await first.GoOnAsync();

    await using var command = source.CreateCommand("select balance from account");
    var balance = (long)(await command.ExecuteScalarAsync())!;
    Console.WriteLine($"  The balance is {balance}: {(balance == 120 ? "nothing is lost" : "the 20 are lost")}.");
    return balance;
}

async Task ExecuteAsync(string sql)
{
#pragma warning disable CA2100 // Statements of this file.
    await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
    await command.ExecuteNonQueryAsync();
}
