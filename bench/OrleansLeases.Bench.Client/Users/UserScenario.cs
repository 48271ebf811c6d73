using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Client.Users;

// One process whose workers own things by the library that its author picked; all servers on the same machine, turn and turn about.
internal static class UserScenario
{
    private const double AgainstEtcd = 5;
    private const double AgainstRedis = 0.7;
    private const double AgainstAdvisoryLocks = 2;

    public static async Task OnOwnServersAsync(Settings settings, Action<Finding> tell)
    {
        await using var ours = new LeasesUser("OrleansLeases.Client", settings.Server.Port, settings.Workers);
        await using var plain = new HttpUser("HttpClient", settings.Server.Port, settings.Workers);
        await using var etcd = settings.Etcd is { } member ? new EtcdUser(member.Port, settings.Workers) : null;
        await using var redis = settings.Redis is { } server ? await RedisUser.ConnectAsync(server.Port) : null;
        List<(IRenewingUser User, IServer Server, double? Target)> users =
            [(ours, settings.Server.Processes(), null), (plain, settings.Server.Processes(), null)];
        if (etcd is not null)
            users.Add((etcd, settings.Etcd!.Processes(), AgainstEtcd));
        if (redis is not null)
            users.Add((redis, settings.Redis!.Processes(), AgainstRedis));

        await CompareAsync(
            "users, cycles", "cycles/s",
            [.. users.Select(one => ((CallerLoad)new UserCycles(one.User, settings.Workers), one.Server, one.Target))]);
        await CompareAsync(
            "users, renewals", "renewals/s",
            [.. users.Select(one => ((CallerLoad)new UserRenewals(one.User, settings.Workers), one.Server, one.Target))]);

        Task CompareAsync(string scenario, string unit, (CallerLoad Load, IServer Server, double? Target)[] loads) =>
            UserScenario.CompareAsync(scenario, unit, loads, settings, tell);
    }

    public static async Task OnPostgresAsync(Settings settings, Action<Finding> tell)
    {
        await using var ours = new LeasesUser("OrleansLeases.Client, one silo", settings.Server.Port, settings.Workers);
        await using var locks = new AdvisoryLockUser(settings.ConnectionString!, settings.Workers);
        await CompareAsync(
            "users on PostgreSQL, cycles", "cycles/s",
            [
                (new UserCycles(ours, settings.Workers), settings.Server.Processes(settings.DatabaseProcess), null),
                (new UserCycles(locks, settings.Workers), new DatabaseProcess(settings.DatabaseProcess), AgainstAdvisoryLocks),
            ],
            settings, tell);
    }

    // The first is ours.
    private static async Task CompareAsync(
        string scenario, string unit, (CallerLoad Load, IServer Server, double? Target)[] loads, Settings settings, Action<Finding> tell)
    {
        var servers = loads.ToDictionary(one => one.Load, one => one.Server);
        var rounds = new CallerRounds(load => servers[load], settings.RoundTime, settings.Rounds);
        await rounds.RunAsync(loads.Select(one => one.Load));
        foreach (var (load, _, _) in loads)
            tell(new Finding(Row: rounds.RowOf(load, scenario, unit)));
        var ours = loads[0].Load;
        foreach (var (load, _, target) in loads[1..])
            tell(new Finding(Verdict: new Verdict(scenario, $"{ours.Row} against {load.Row}", rounds.Ratio(ours, load), "×", target)));
    }
}
