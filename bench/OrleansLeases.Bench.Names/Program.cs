using System.Globalization;
using OrleansLeases.Bench.Names;

if (args is not [("sqlite" or "postgres") and var store, ..] || (args.Length > 1 && !int.TryParse(args[1], out _)))
{
    Console.Error.WriteLine("usage: OrleansLeases.Bench.Names sqlite|postgres [NAMES]");
    return 2;
}

var names = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000_000;
await using var service = store == "sqlite" ? (INamesStore)await SqliteNames.StartAsync() : await PostgresNames.StartAsync();
await new ComingAndGoing(service, names).RunAsync();
return 0;
