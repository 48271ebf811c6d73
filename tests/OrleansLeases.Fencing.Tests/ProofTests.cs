using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Fencing.AspNetCore;
using OrleansLeases.Testing;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A fence that callers reach who are not trusted: it takes no token without its proof.</summary>
public sealed class ProofTests : IAsyncLifetime
{
    private readonly ProofSigner _service = new("ours", "1");
    private readonly ManualTimeProvider _time = new();
    private FencedDatabase _database = null!;
    private ProtectedService _fenced = null!;

    public async Task InitializeAsync()
    {
        _database = await FencedDatabase.MakeAsync();
        _fenced = await StartAsync(_service);
    }

    public async Task DisposeAsync()
    {
        await _fenced.DisposeAsync();
        await _database.DisposeAsync();
        _service.Dispose();
    }

    [Fact]
    public async Task Request_WithAProof_IsLetInUnderItsToken()
    {
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(33))).Status);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(34), token: "34")).Status);
        Assert.Equal([33, 34], _fenced.Ran);
    }

    [Fact]
    public async Task Request_WithATokenAlone_IsToldWhichHeaderToSend()
    {
        var (status, problem) = await _fenced.PutAsync(33);

        Assert.Equal(HttpStatusCode.PreconditionRequired, status);
        Assert.Equal("Lease-Proof", Assert.Single(problem!["errors"]!.AsObject()).Key);
        Assert.Empty(_fenced.Ran);
    }

    [Fact]
    public async Task Request_WithAProofOfAnotherTokenOrResource_IsForbidden()
    {
        await AssertForbiddenAsync(Prove(33), "34");
        await AssertForbiddenAsync(Prove(33), "x");
        await AssertForbiddenAsync(Prove(33, resource: "orders/43"));
        await AssertForbiddenAsync(Prove(33, resource: "orders/42/"));
        await AssertForbiddenAsync(Prove(0));
        await AssertForbiddenAsync(Prove(long.MaxValue));
    }

    [Fact]
    public async Task Attacker_WithProofsThatAreNone_NeitherPassesNorClosesTheFence()
    {
        using var foreign = new ProofSigner("ours", "1");
        using var unknown = new ProofSigner("ours", "2");
        const long Greatest = (1L << 40) - 1;
        var now = _time.GetUtcNow();
        string[] forged =
        [
            "made.up.proof",
            // By another key, under the name of ours and under one of its own; and by ours for another service.
            foreign.Sign("orders/42", Greatest, now),
            unknown.Sign("orders/42", Greatest, now),
            _service.Sign("orders/42", Greatest, now, service: "theirs"),
            // Expired, and of the future.
            _service.Sign("orders/42", Greatest, now - TimeSpan.FromDays(2)),
            _service.Sign("orders/42", Greatest, now + TimeSpan.FromMinutes(2)),
            // By no key at all, and by the public one as if it were a secret.
            _service.Sign("orders/42", Greatest, now, alg: "none"),
            _service.Sign("orders/42", Greatest, now, alg: "HS256"),
            // Of this key, and no proof.
            _service.Sign("orders/42", Greatest, now, typ: "JWT"),
            // A genuine one, but for what it says or who signed it.
            Swap(_service.Sign("orders/42", 33, now), _service.Sign("orders/42", Greatest, now), 1),
            Swap(_service.Sign("orders/42", Greatest, now), foreign.Sign("orders/42", Greatest, now), 2),
            Swap(_service.Sign("orders/42", Greatest, now), "..", 2),
        ];

        foreach (var proof in forged) await AssertForbiddenAsync(proof);

        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(33))).Status);
        Assert.Equal([33], _fenced.Ran);

        static string Swap(string proof, string by, int part)
        {
            var parts = proof.Split('.');
            parts[part] = by.Split('.')[part];
            return string.Join('.', parts);
        }
    }

    // Signed by the service itself: so it was restored, and nobody has told the fence.
    [Fact]
    public async Task Proof_OfAnEpochThatTheFenceWasNotToldOf_IsNotLetIn_UntilItsOwnerAcceptsIt()
    {
        const long Restored = (1L << 40) + 1;
        var (status, problem) = await PutAsync(Prove(Restored));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:orleans-leases:unavailable"), (status, (string)problem!["type"]!));
        Assert.Contains("epoch 1", (string)problem["detail"]!, StringComparison.Ordinal);

        await _database.Fence.AcceptEpochAsync(1);

        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(Restored))).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await PutAsync(Prove(33))).Status);
        Assert.Equal([Restored], _fenced.Ran);
    }

    [Fact]
    public async Task Host_WithoutAnythingThatChecksProofs_DoesNotStart_AndSaysWhatToDo()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddLeaseFence(_database.ConnectionString);
        await using var app = builder.Build();
        app.MapPut("/orders/{id}", () => "").RequireLease("orders/{id}");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync());

        Assert.Contains("AddLeaseProofs", refused.Message, StringComparison.Ordinal);
        Assert.Contains("RequireProof", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proof_OfALeaseThatWasOvertaken_IsRefusedWhenReplayed()
    {
        var old = Prove(33);
        await PutAsync(old);
        await PutAsync(Prove(34));

        Assert.Equal(HttpStatusCode.Conflict, (await PutAsync(old)).Status);
        Assert.Equal([33, 34], _fenced.Ran);
    }

    [Fact]
    public async Task FloodOfNames_WithoutProofs_LeavesNoRowAndAsksForKeysOnce()
    {
        using var foreign = new ProofSigner("ours", "made-up");
        for (var i = 0; i < 50; i++)
        {
            var request = new HttpRequestMessage(HttpMethod.Put, $"/orders/{i}");
            request.Headers.Add("Lease-Proof", foreign.Sign($"orders/{i}", 1, _time.GetUtcNow()));
            Assert.Equal(HttpStatusCode.Forbidden, (await _fenced.SendAsync(request)).Status);
        }

        Assert.Equal(1, _service.Fetches);
        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    [Fact]
    public async Task Keys_ThatCannotBeFetched_LetNobodyIn()
    {
        using var away = new ProofSigner("ours", "1") { IsAway = true };
        await using var fenced = await StartAsync(away);
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        request.Headers.Add("Lease-Proof", Prove(33));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await fenced.SendAsync(request)).Status);
        Assert.Empty(fenced.Ran);
    }

    private Task<ProtectedService> StartAsync(ProofSigner service) => ProtectedService.StartAsync(
        _database.ConnectionString,
        services: services => services.AddSingleton(new LeaseProofVerifier(
            new HttpClient(service), new Uri("http://leases"), new() { Time = _time, MaxAge = TimeSpan.FromDays(1), Service = "ours" })));

    private string Prove(long token, string resource = "orders/42") => _service.Sign(resource, token, _time.GetUtcNow());

    private async Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonObject? Problem)> PutAsync(string proof, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        request.Headers.Add("Lease-Proof", proof);
        if (token is not null) request.Headers.Add("Fencing-Token", token);
        return await _fenced.SendAsync(request);
    }

    private async Task AssertForbiddenAsync(string proof, string? token = null)
    {
        var (status, problem) = await PutAsync(proof, token);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Equal("urn:orleans-leases:forbidden", (string)problem!["type"]!);
    }
}
