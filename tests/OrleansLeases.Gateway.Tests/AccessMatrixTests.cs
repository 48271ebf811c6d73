using System.Net;
using System.Text.Json;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>
/// Every route of the table, called by a principal of each kind of credential, with the verb it takes and without, about names that its
/// rights are for, are not for, and that only look as if.
/// </summary>
public sealed class AccessMatrixTests(Callers callers) : IClassFixture<Callers>
{
    private const string Inside = "jobs/1";

    // Answers of the service itself: the call has come through to it.
    private static readonly HttpStatusCode[] Taken = [HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Conflict];

    private static readonly string[] Right = [Inside, "jobs%2f7", "jobs%2F7", "%6aobs/7", "caf%C3%A9", "caf%c3%a9/7"];

    /// <summary>Names that are no name of the prefixes: other ones, and those that somebody may take for one.</summary>
    private static readonly string[] Others =
    [
        "other", "other/jobs", "jobsx", "job", "jobs-1", "jobs.", "Jobs", "JOBS/7", "xjobs", "%6aobsx",
        // Encoded twice; a backslash; spaces; and what Unicode has that looks like a slash, an o, a j, nothing, or the é in two parts.
        "jobs%252f7", "jobs%5C7", "jobs%20/7", "%20jobs", "jobs%EF%BC%8F7", "jobs%E2%88%957", "j%D0%BEbs/7", "%EF%BD%8Aobs",
        "jobs%E2%80%8B/7", "cafe%CC%81", "caf%C3%89", "cafe",
    ];

    /// <summary>Ways from a name within to another.</summary>
    private static readonly string[] WaysOut =
    [
        "jobs/../other", "jobs/%2e%2e/other", "jobs/..%2fother", "jobs%2f..%2fother", "jobs/7/../../other", "./other", "jobs//7", "/jobs",
        "jobs/./../other",
    ];

    private static readonly string[] ListedPrefixes =
        ["", "j", "job", "jobs", "jobs/", "jobsx", "jobs-", "Jobs", "other", "caf", "cafe", "jobs%EF%BC%8F", "zz"];

    private static readonly string[] Seeds =
        ["jobs", Inside, "jobs/2", "caf\u00e9", "other", "jobsx", "job", "jobs-1", "Jobs", "cafe\u0301", "jobs\uff0f7", "j", "zz"];

    /// <summary>The operations of a batch, and the right on the name that each takes.</summary>
    private static readonly Dictionary<string, (string Verb, string Fields)> Operations = new()
    {
        ["acquire"] = ("hold", """ "resource":"NAME","owner":"OWNER","ttlMs":1000 """),
        ["renew"] = ("hold", """ "resource":"NAME","owner":"OWNER","token":1 """),
        ["release"] = ("hold", """ "resource":"NAME","owner":"OWNER","token":1 """),
        ["transfer"] = ("hold", """ "resource":"NAME","owner":"OWNER","token":1,"newOwner":"OWNER/2" """),
        ["break"] = ("break", """ "resource":"NAME","graceMs":0,"reason":"r" """),
        ["get"] = ("read", """ "resource":"NAME" """),
        ["key-put"] = ("keys", """ "key":"NAME","value":"v" """),
        ["key-get"] = ("read", """ "key":"NAME" """),
        ["key-delete"] = ("keys", """ "key":"NAME" """),
        ["counter-add"] = ("keys", """ "key":"NAME","delta":1 """),
    };

    public static TheoryData<string, string> RoutesOfNames => Product(Routes.OfNames.Keys);

    public static TheoryData<string, string> RoutesOfAdmin => Product(Routes.OfAdmin);

    private static readonly string[] Verbs = ["read", "hold", "break", "keys", "admin"];

    public static TheoryData<string> Kinds => new(Callers.Kinds);

    [Theory]
    [MemberData(nameof(RoutesOfNames))]
    public async Task Call_OfEachKind_IsTakenForTheNamesOfItsRightsAlone(string route, string kind)
    {
        await SeedAsync();
        var needs = Routes.OfNames[route].Needs.ToString().ToLowerInvariant();
        var caller = Callers.PrincipalOf(kind, needs);
        foreach (var name in Right)
            Assert.Contains((await CallAsync(caller, route, name)).Status, Taken);
        foreach (var verb in Verbs.Where(verb => verb != needs))
        {
            // Admin is everything: whoever may make a credential for anybody can do what anybody can, but does it as that one.
            var refused = await CallAsync(Callers.PrincipalOf(kind, verb), route, Inside);
            Assert.Equal((verb, HttpStatusCode.Forbidden), (verb, refused.Status));
        }

        foreach (var name in Others)
        {
            var refused = await CallAsync(caller, route, name);
            Assert.Equal((name, HttpStatusCode.Forbidden), (name, refused.Status));
            Assert.DoesNotContain(Callers.Secret, refused.Body, StringComparison.Ordinal);
        }

        foreach (var name in WaysOut)
        {
            var refused = await CallAsync(caller, route, name);
            Assert.True(
                refused.Status is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.NotFound
                && refused.Body.Contains("urn:orleans-leases:", StringComparison.Ordinal)
                && !refused.Body.Contains(Callers.Secret, StringComparison.Ordinal),
                $"{name}: {refused}");
        }

        await NothingOfOthersHasChangedAsync();
    }

    [Theory]
    [MemberData(nameof(RoutesOfAdmin))]
    public async Task Call_OfAnAdministrator_IsTakenFromNobodyElse(string route, string kind)
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(Callers.PrincipalOf(kind, "all"), route, "0123456789abcdef")).Status);
        // An empty body makes no key.
        Assert.Equal(
            route == "POST /v1/tokens" ? HttpStatusCode.BadRequest : HttpStatusCode.OK,
            (await CallAsync(Callers.PrincipalOf(kind, "admin"), route, "0123456789abcdef")).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Batch_OfEachKind_IsTakenItemByItem(string kind)
    {
        await SeedAsync();
        foreach (var verb in new[] { "read", "hold", "break", "keys" })
        {
            var caller = Callers.PrincipalOf(kind, verb);
            foreach (var name in Others.Append(Inside).Select(Uri.UnescapeDataString))
            {
                var plain = JsonEncodedText.Encode(name).ToString();
                var items = Operations.Select(operation => $$"""{"op":"{{operation.Key}}",{{operation.Value.Fields}}}"""
                    .Replace("NAME", plain, StringComparison.Ordinal).Replace("OWNER", caller, StringComparison.Ordinal));
                var reply = await SendAsync(caller, "POST", "/v1/batch", $$"""{"operations":[{{string.Join(',', items)}}]}""");
                Assert.Equal(HttpStatusCode.OK, reply.Status);
                Assert.DoesNotContain(Callers.Secret, reply.Body, StringComparison.Ordinal);
                using var json = JsonDocument.Parse(reply.Body);
                var taken = json.RootElement.GetProperty("results").EnumerateArray()
                    .Select(result => result.GetProperty("status").GetInt32() != (int)HttpStatusCode.Forbidden);
                var may = Operations.Values.Select(operation => name == Inside && operation.Verb == verb);
                Assert.Equal((name, string.Join(' ', may)), (name, string.Join(' ', taken)));
            }

            var renewal = await SendAsync(
                caller, "POST", "/v1/leases/renew-batch",
                $$"""{"leases":[{{string.Join(',', new[] { "other", Inside }.Select(name => Lease(name, caller)))}}]}""");
            Assert.Equal(verb == "hold" ? 1 : 2, renewal.Body.Split("urn:orleans-leases:forbidden").Length - 1);
        }

        await NothingOfOthersHasChangedAsync();
    }

    [Fact]
    public void Batch_HasTheseOperations() => Assert.Equal(Operations.Keys.Order(StringComparer.Ordinal), Batches.BatchReader.Words);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Listing_OfEachKind_ShowsNoOtherNames(string kind)
    {
        await SeedAsync();
        foreach (var path in new[] { "/v1/leases?state=any&", "/v1/leases?state=held&", "/v1/leases?owner=ann&", "/v1/keys?" })
        {
            foreach (var prefix in ListedPrefixes)
            {
                var shown = await PagesAsync(Callers.PrincipalOf(kind, "read"), $"{path}prefix={prefix}&pageSize=1");
                var start = Uri.UnescapeDataString(prefix);
                var expected = Seeds.Where(Callers.IsWithin).Where(name => name.StartsWith(start, StringComparison.Ordinal));
                Assert.Equal(
                    (path, prefix, string.Join(' ', expected.Order(StringComparer.Ordinal))),
                    (path, prefix, string.Join(' ', shown.Where(name => Seeds.Contains(name)).Distinct().Order(StringComparer.Ordinal))));
                Assert.All(shown, name => Assert.True(Callers.IsWithin(name), name));
                Assert.Empty(await PagesAsync(Callers.PrincipalOf(kind, "hold"), $"{path}prefix={prefix}&pageSize=1"));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Watch_OfEachKind_ShowsNoOtherNames(string kind)
    {
        await SeedAsync();
        var reader = callers.ClientOf(Callers.PrincipalOf(kind, "read"));
        foreach (var (round, (prefix, again)) in new[] { ("", null), ("job", null), ("jobs", null), ("", "0") }.Index())
        {
            using var events = await EventReader.OpenAsync(reader, $"prefix={prefix}", again);
            var opening = await events.NextAsync();
            if (again is not null) Assert.Contains("resync", opening, StringComparison.Ordinal);
            // New names, so that there is an event of each lease, too.
            foreach (var name in Seeds.Where(name => !Callers.IsWithin(name)).Append("jobs").Select(name => $"{name}/{kind}/{round}"))
            {
                await callers.Leases.AcquireAsync(new() { Resource = name, Owner = Callers.Secret, Ttl = TimeSpan.FromHours(2) });
                await callers.Leases.PutKeyAsync(name, new() { Value = Callers.Secret });
            }

            string? block;
            do
            {
                block = await events.NextAsync();
                Assert.NotNull(block);
                var data = block.Split('\n').FirstOrDefault(line => line.StartsWith("data: {\"", StringComparison.Ordinal));
                if (data is not null) Assert.All(NamesIn(data["data: ".Length..]), name => Assert.True(Callers.IsWithin(name), block));
            }
            while (!block.Contains("event: key-put", StringComparison.Ordinal));
        }

        foreach (var query in new[] { "resource=other", "key=other", "resource=other&since=0", "key=jobsx&since=0", "resource=job" })
        {
            var refused = await SendAsync(Callers.PrincipalOf(kind, "read"), "GET", $"/v1/watch?{query}", null);
            Assert.Equal((query, HttpStatusCode.Forbidden), (query, refused.Status));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Caller_OfEachKind_IsToldWhoItIs(string kind)
    {
        var reply = await SendAsync(Callers.PrincipalOf(kind, "read"), "GET", "/v1/whoami", null);

        Assert.Contains($"\"principal\":\"{kind}-read\"", reply.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Callers.PrincipalOf(kind, "read"), "GET", "/v1/info", null)).Status);
    }

    private static string Lease(string name, string owner) => $$"""{"resource":"{{name}}","owner":"{{owner}}","token":1}""";

    private static TheoryData<string, string> Product(IEnumerable<string> routes)
    {
        var data = new TheoryData<string, string>();
        foreach (var route in routes)
            foreach (var kind in Callers.Kinds) data.Add(route, kind);
        return data;
    }

    private static IEnumerable<string> NamesIn(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. NamesIn(document.RootElement)];
    }

    // Wherever they stand: whatever is called a resource or a key, and where a listing goes on from.
    private static IEnumerable<string> NamesIn(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => json.EnumerateArray().SelectMany(NamesIn),
        JsonValueKind.Object => json.EnumerateObject().SelectMany(field =>
            field is { Name: "resource" or "key" or "next", Value.ValueKind: JsonValueKind.String }
                ? [field.Value.GetString()!] : NamesIn(field.Value)),
        _ => [],
    };

    private async Task<List<string>> PagesAsync(string principal, string path)
    {
        var names = new List<string>();
        for (string? after = ""; after is not null;)
        {
            var reply = await SendAsync(principal, "GET", path + (after.Length == 0 ? "" : $"&after={Uri.EscapeDataString(after)}"), null);
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            names.AddRange(NamesIn(reply.Body));
            using var page = JsonDocument.Parse(reply.Body);
            after = page.RootElement.TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        return names;
    }

    // Each test finds them, whichever came before it.
    private async Task SeedAsync()
    {
        foreach (var name in Seeds)
        {
            await callers.Leases.AcquireAsync(
                new() { Resource = name, Owner = Callers.IsWithin(name) ? "ann" : Callers.Secret, Ttl = TimeSpan.FromHours(1) });
            await callers.Leases.PutKeyAsync(name, new() { Value = Callers.IsWithin(name) ? "7" : Callers.Secret });
        }
    }

    private async Task NothingOfOthersHasChangedAsync()
    {
        var seeds = Seeds.Where(name => !Callers.IsWithin(name)).ToArray();
        var leases = (await callers.Leases.ListAsync(new() { State = LeaseFilter.Any, PageSize = 1_000 })).Value.Leases
            .Where(lease => !Callers.IsWithin(lease.Resource)).ToArray();
        Assert.Empty(seeds.Except(leases.Select(lease => lease.Resource)));
        Assert.All(leases, lease => Assert.Equal((1, Callers.Secret), (lease.Sequence, Assert.Single(lease.Holders).Owner)));
        var keys = (await callers.Leases.ListKeysAsync(new() { PageSize = 1_000 })).Value.Keys
            .Where(key => !Callers.IsWithin(key.Key)).ToArray();
        Assert.Empty(seeds.Except(keys.Select(key => key.Key)));
        Assert.All(keys, key => Assert.Equal(Callers.Secret, key.Value));
    }

    private Task<(HttpStatusCode Status, string Body)> CallAsync(string principal, string route, string name) =>
        SendAsync(principal, Routes.Call(callers.Host.Address, route, name, principal));

    private Task<(HttpStatusCode Status, string Body)> SendAsync(string principal, string method, string path, string? body) =>
        SendAsync(principal, Routes.Send(callers.Host.Address, method, path, body));

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(string principal, HttpRequestMessage request)
    {
        using var sent = request;
        request.Version = HttpVersion.Version20;
        using var response = await callers.ClientOf(principal).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        return (response.StatusCode, isStream ? "" : await response.Content.ReadAsStringAsync());
    }
}
