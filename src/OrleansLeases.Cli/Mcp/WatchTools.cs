using System.ComponentModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Watches, call by call.</summary>
internal sealed class WatchTools(AgentSession session, Acquiring acquiring)
{
    private const int MostEvents = 50;

    // What changes together is told together.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(100);

    [McpServerTool(Name = "watch", Title = "Watch for changes", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Wait until a lease, a key, or anything below a prefix changes, for at most max_wait_seconds; name one of the three. "
        + "The first call for a resource or key answers with its state. Pass 'since' from each answer to the next, so that nothing is "
        + "missed; after the event 'resync' something may have been: look anew. Use it to be told of others' progress; to get a lease, "
        + "use wait_for.")]
    public async Task<CallToolResult> WatchAsync(
        [Description("The name of a lease.")] string? resource = null,
        [Description("The name of a key.")] string? key = null,
        [Description("What names start with, such as tasks/. It is followed from this call on only.")] string? prefix = null,
        [Description("'since' of the answer before, to miss nothing in between.")] string? since = null,
        [Description("How long this call waits, 1 to 600 s.")] int max_wait_seconds = 50,
        IProgress<ProgressNotificationValue>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var wait = Bounds.Wait(max_wait_seconds);
        WatchPoint? point = since is null ? null
            : WatchPoint.TryParse(since, out var given) ? given
            : throw new ArgumentException($"since is '{since}'; it takes what an answer before had as 'since'.");
        if (new[] { resource, key, prefix }.Count(name => name is not null) != 1)
            throw new ArgumentException("watch takes one of resource, key and prefix; leave out the others.");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var request = new WatchRequest { Resource = resource, Key = key, Prefix = prefix, Since = point };
        var result = await session.Service.WatchAsync(request, stop.Token);
        if (!result.TryGetValue(out var watch, out var refusal)) return Reply.Refused(session, refusal);
        var events = new List<WatchEvent>();
        var reading = ReadAsync(watch, events, stop.Token);
        try
        {
            await acquiring.WaitForAsync(reading, wait, progress, () => "nothing has changed yet", cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
        }

        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Such as a credential that has run out meanwhile: that nothing has changed would be a guess.
        if (reading.Exception?.InnerException is { } ended && events.Count == 0)
            return Reply.Wrong(session, "unknown", ended.Message, "The watch ended. Call again with the same arguments.");
        return Answer(events, since);
    }

    private CallToolResult Answer(List<WatchEvent> events, string? since)
    {
        var last = events.LastOrDefault(change => change.ResumeFrom is not null)?.ResumeFrom?.ToString() ?? since;
        return Reply.Of(
            session, events.Count == 0 ? "nothing" : "changed", events.Count == 0
                ? "Nothing has changed. Call again with the same arguments, or do other work."
                : "Call again with 'since' to see what comes next. A change of others gives you no lease: acquire it.",
            ("events", new JsonArray([.. events.Select(DataOf)])), ("since", last));
    }

    private async Task ReadAsync(LeaseWatch watch, List<WatchEvent> events, CancellationToken stop)
    {
        await using var enumerator = watch.GetAsyncEnumerator(stop);
        if (!await enumerator.MoveNextAsync()) return;
        events.Add(enumerator.Current);
        using var soon = new CancellationTokenSource(Gathering, session.Time);
        while (events.Count < MostEvents)
        {
            var next = enumerator.MoveNextAsync().AsTask();
            // The read that is given up here ends with the watch.
            if (await Task.WhenAny(next, Task.Delay(Timeout.InfiniteTimeSpan, session.Time, soon.Token)) != next || !await next) return;
            events.Add(enumerator.Current);
        }
    }

    private static JsonNode? DataOf(WatchEvent change)
    {
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes)) change.WriteData(json);
        var data = JsonNode.Parse(Encoding.UTF8.GetString(bytes.ToArray()))!.AsObject();
        data["event"] = change.Name;
        return data;
    }
}
