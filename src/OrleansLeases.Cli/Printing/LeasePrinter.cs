using System.Globalization;

namespace OrleansLeases.Cli.Printing;

/// <summary>Tells people about leases.</summary>
internal static class LeasePrinter
{
    private const string Nothing = "-";

    private static readonly string[] WideHead = ["TTL", "CAPACITY", "KEYS", "METADATA"];

    public static string Word(LeaseMode mode) => mode == LeaseMode.Exclusive ? "exclusive" : "shared";

    public static void Print(LeaseGrant grant, NextSteps next, TextWriter writer)
    {
        var columns = new Columns()
            .Row("acquired", grant.Resource)
            .Row("owner", grant.Owner)
            .Row("token", Number(grant.Token));
        if (grant.Proof is { } proof) columns.Row("proof", proof);
        columns
            .Row("mode", Word(grant.Mode))
            .Row("remaining", $"{Durations.Format(grant.Remaining)} of {Durations.Format(grant.Ttl)}")
            .Row("renew", $"within {Durations.Format(grant.RenewAfter)}: {next.Renew(grant)}")
            .Row("release", next.Release(grant))
            .WriteTo(writer);
    }

    public static IEnumerable<string> Alone(LeaseGrant grant) => [Number(grant.Token)];

    public static IEnumerable<string> Alone(LeaseInfo info) => info.Holders.Select(holder => holder.Owner);

    public static void PrintTransfer(LeaseGrant grant, NextSteps next, TextWriter writer)
    {
        new Columns()
            .Row("transferred", grant.Resource)
            .Row("owner", grant.Owner)
            .Row("token", Number(grant.Token))
            .Row("remaining", $"{Durations.Format(grant.Remaining)} of {Durations.Format(grant.Ttl)}")
            .Row("next", $"the new owner renews: {next.Renew(grant)}")
            .WriteTo(writer);
    }

    public static void Print(LeaseRenewal renewal, TextWriter writer)
    {
        var columns = new Columns()
            .Row("renewed", renewal.Resource)
            .Row("token", Number(renewal.Token))
            .Row("remaining", $"{Durations.Format(renewal.Remaining)} of {Durations.Format(renewal.Ttl)}")
            .Row("next", $"renew again within {Durations.Format(renewal.RenewAfter)}");
        if (renewal.Breaking is { } breaking)
            columns.Row("breaking", $"ends in {Durations.Format(breaking.EndsIn)}, whatever is renewed: {breaking.Reason}");
        columns.WriteTo(writer);
    }

    public static void Print(LeaseRelease release, TextWriter writer) =>
        new Columns()
            .Row("released", release.Resource)
            .Row("token", $"{Number(release.Token)}{(release.Replayed ? " (it had been released before)" : "")}")
            .WriteTo(writer);

    public static void Print(LeaseBreak broken, TextWriter writer) =>
        new Columns()
            .Row(broken.EndsIn > TimeSpan.Zero ? "breaking" : "broken", broken.Resource)
            .Row("token", Number(broken.Token))
            .Row("ends", broken.EndsIn > TimeSpan.Zero ? $"in {Durations.Format(broken.EndsIn)}" : "now")
            .WriteTo(writer);

    public static void Print(LeaseInfo info, TextWriter writer)
    {
        var summary = new Columns().Row("resource", info.Resource).Row("state", Word(info.State));
        if (info.Capacity is { } capacity) summary.Row("capacity", $"{info.Holders.Count} of {capacity} taken");
        if (info.AvailableIn is { } availableIn)
        {
            // A delay cannot be renewed.
            var unless = info.State == LeaseStatus.Held ? ", unless renewed" : "";
            summary.Row("available", $"in {Durations.Format(availableIn)} at the latest{unless}");
        }

        if (info.Waiters is > 0 and var waiters) summary.Row("waiting", Number(waiters));
        summary.Row("last token", Number(info.LastToken)).WriteTo(writer);
        if (info.Holders.Count > 0) PrintHolders(info, writer);
        if (info.Queue is { Count: > 0 } queue) PrintQueue(queue, writer);
    }

    private static void PrintHolders(LeaseInfo info, TextWriter writer)
    {
        writer.WriteLine();
        var holders = new Columns().Head("OWNER", "TOKEN", "MODE", "REMAINING", "TTL", "KEYS", "METADATA");
        foreach (var holder in info.Holders)
        {
            holders.Row(
                holder.Owner, Number(holder.Token), Word(holder.Mode), Durations.Format(holder.Remaining), Durations.Format(holder.Ttl),
                Number(holder.Keys.Count),
                Metadata(holder));
        }

        holders.WriteTo(writer);
    }

    private static void PrintQueue(IReadOnlyList<LeaseWaiter> queue, TextWriter writer)
    {
        writer.WriteLine();
        var waiters = new Columns().Head("POSITION", "WAITS", "MODE", "FOR");
        foreach (var (place, waiter) in queue.Index())
            waiters.Row(Number(place + 1), waiter.Owner, Word(waiter.Mode), Durations.Format(waiter.Waited));
        waiters.WriteTo(writer);
    }

    /// <summary>The head of a list of leases.</summary>
    public static Columns ListOf(bool isWide) =>
        new Columns().Head(["RESOURCE", "STATE", "OWNER", "TOKEN", "MODE", "REMAINING", .. isWide ? WideHead : []]);

    /// <summary>The rows of a lease: one for each holder.</summary>
    public static void AddTo(Columns rows, LeaseInfo lease, bool isWide)
    {
        if (lease.Holders.Count == 0)
            rows.Row(lease.Resource, Word(lease.State), Nothing, Number(lease.LastToken), Nothing, Nothing);
        foreach (var holder in lease.Holders)
        {
            string[] more = isWide
                ? [Durations.Format(holder.Ttl), lease.Capacity is { } capacity ? Number(capacity) : Nothing, Number(holder.Keys.Count),
                    Metadata(holder)]
                : [];
            rows.Row(
                [lease.Resource, Word(lease.State), holder.Owner, Number(holder.Token), Word(holder.Mode),
                    Durations.Format(holder.Remaining), .. more]);
        }
    }

    public static void Print(LeasePage page, bool isWide, TextWriter writer)
    {
        if (page.Leases.Count == 0) return;
        var rows = ListOf(isWide);
        foreach (var lease in page.Leases) AddTo(rows, lease, isWide);
        rows.WriteTo(writer);
    }

    private static string Metadata(LeaseHolder holder) =>
        holder.Metadata.Count == 0 ? Nothing : string.Join(' ', holder.Metadata.Select(entry => $"{entry.Key}={entry.Value}"));

    public static void Print(LeaseHistory history, TextWriter writer)
    {
        if (history.Events.Count == 0) return;
        var rows = new Columns().Head("SEQUENCE", "AT", "EVENT", "OWNER", "TOKEN", "REASON");
        foreach (var entry in history.Events)
        {
            rows.Row(
                Number(entry.Sequence), entry.At.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
                Word(entry.Kind), entry.Owner, Number(entry.Token), entry.Reason ?? Nothing);
        }

        rows.WriteTo(writer);
    }

    private static string Word(LeaseStatus status) => status switch
    {
        LeaseStatus.Free => "free",
        LeaseStatus.Held => "held",
        _ => "delayed",
    };

    private static string Word(LeaseEventKind kind) => kind switch
    {
        LeaseEventKind.Granted => "granted",
        LeaseEventKind.Released => "released",
        LeaseEventKind.Expired => "expired",
        LeaseEventKind.Transferred => "transferred",
        LeaseEventKind.Breaking => "breaking",
        _ => "broken",
    };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
