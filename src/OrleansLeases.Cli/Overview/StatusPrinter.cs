using System.Globalization;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Overview;

/// <summary>Tells people about the service.</summary>
internal static class StatusPrinter
{
    // With the lines above them they fit a terminal of 24 lines.
    private const int MostNames = 5;

    public static void Print(ServersHealth health, TextWriter writer)
    {
        var rows = new Columns();
        foreach (var server in health.Servers) rows.Row(server.Server, Of(server));
        rows.WriteTo(writer);
    }

    public static void Print(ServiceInfo info, TextWriter writer)
    {
        var limits = info.Limits;
        var rows = new Columns().Row("engine", EngineOf(info)).Row("version", info.Version).Row("epoch", Number(info.Epoch));
        if (info.Service is { } service) rows.Row("service", service);
        rows
            .Row("grace", $"{Durations.Format(info.Grace)}: a lease is free so long after its deadline at the latest")
            .Row("retain", Retained(info))
            .Row("ttl", $"{Durations.Format(limits.MinTtl)} to {Durations.Format(limits.MaxTtl)}")
            .Row("wait", $"{Durations.Format(limits.MaxWait)} a call at most; the command repeats it")
            .Row("holders", $"{Number(limits.MaxHolders)} a resource at most")
            .Row("waiters", $"{Number(limits.MaxWaiters)} a resource at most")
            .Row("keys", $"{Number(limits.MaxKeys)} a lease at most")
            .Row("batch", $"{Number(limits.MaxBatch)} calls at most")
            .WriteTo(writer);
    }

    private static string Retained(ServiceInfo info) => info.Retain == TimeSpan.Zero
        ? "for ever: a name that was used once has a record"
        : $"{Durations.Format(info.Retain)}: a name that is not in use for so long may lose its record";

    public static void Print(ServiceStatus status, TextWriter writer)
    {
        var summary = new Columns();
        foreach (var server in status.Servers) summary.Row("server", $"{server.Server}: {Of(server)}");
        var info = status.Info;
        summary.Row(
            "service", $"{EngineOf(info)}, version {info.Version}, epoch {Number(info.Epoch)}, grace {Durations.Format(info.Grace)}");
        // One process has nothing to add to what its own line says.
        foreach (var member in status.Members.Count > 1 ? status.Members : []) summary.Row("member", Of(member));
        if (status.Members is [{ Records: { } records } only]) summary.Row("store", Stored(records, only.DiskBytes));
        if (status.Caller is { } caller) summary.Row("you", caller.Principal);
        if (status.Leases is not { } leases)
        {
            summary.Row("held", "not yours to read").WriteTo(writer);
            return;
        }

        summary.Row("held", Held(leases)).Row("waiting", Number(leases.Waiting)).WriteTo(writer);
        Print("WAITED FOR", leases.Names.Where(lease => lease.Waiters > 0).OrderByDescending(lease => lease.Waiters), writer);
        Print("ENDING NEXT, UNLESS RENEWED", leases.Names.OrderBy(lease => lease.Holders.Min(holder => holder.Remaining)), writer);
    }

    /// <summary>How many are held, as far as was counted.</summary>
    public static string Held(HeldNames leases) => leases.HasMore ? $"more than {Number(leases.Held)}" : Number(leases.Held);

    /// <summary>The owners of a resource, in as much of a line as a list has for them.</summary>
    public static string Owners(LeaseInfo lease) => lease.Holders.Count switch
    {
        0 => "-",
        1 => lease.Holders[0].Owner,
        var count => $"{lease.Holders[0].Owner} and {Number(count - 1)} more",
    };

    private static void Print(string title, IEnumerable<LeaseInfo> leases, TextWriter writer)
    {
        var rows = new Columns().Head(title, "OWNER", "REMAINING", "WAITING");
        var shown = leases.Take(MostNames).ToArray();
        if (shown.Length == 0) return;
        foreach (var lease in shown)
        {
            rows.Row(
                lease.Resource, Owners(lease), Durations.Format(lease.Holders.Min(holder => holder.Remaining)), Number(lease.Waiters ?? 0));
        }

        writer.WriteLine();
        rows.WriteTo(writer);
    }

    private static string Stored(long records, long? bytes) =>
        $"{Number(records)} records of leases and keys" + (bytes is { } size
            ? string.Create(CultureInfo.InvariantCulture, $", {size / 1048576.0:0.0} MiB on disk")
            : "");

    private static string Of(ServerHealth server) => server.IsReady ? "ready" : $"not ready: {server.Detail}";

    private static string Of(ServiceMember member) => member switch
    {
        { State: MemberState.Ready, ClockOffset: { } offset } =>
            $"{member.Name}: ready, clock {Number(offset.Ticks / TimeSpan.TicksPerMillisecond)} ms from the database's, {Has(member)}",
        { State: MemberState.Ready } => $"{member.Name}: ready, {Has(member)}",
        { Detail: { } detail } => $"{member.Name}: {Word(member.State)}: {detail}",
        _ => $"{member.Name}: {Word(member.State)}",
    };

    private static string Word(MemberState state) => state switch
    {
        MemberState.NotReady => "not ready",
        MemberState.Starting => "starting",
        MemberState.Stopping => "stopping",
        _ => "does not answer",
    };

    private static string Has(ServiceMember member) => $"{Number(member.Held ?? 0)} held, {Number(member.Waiters ?? 0)} waiting";

    private static string EngineOf(ServiceInfo info) => $"{info.Engine}, {(info.Durable ? "durable" : "nothing survives a restart")}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
