using System.Buffers.Text;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http;

namespace OrleansLeases.Bench.Leases;

internal readonly record struct Grant(long Token, TimeSpan Elapsed, TimeSpan Remaining);

// One client of the lease service: an owner, a family of names, a connection. Every answer is checked.
internal sealed class LeaseClient(HttpConnection connection, string prefix, string owner, TimeSpan ttl, string? apiKey = null)
{
    private static readonly TimeSpan BeforeRepeating = TimeSpan.FromMilliseconds(50);

    private readonly LeaseRequest _acquire = LeaseRequest.Acquire(prefix, owner, ttl, apiKey: apiKey);
    private readonly LeaseRequest _waitingAcquire = LeaseRequest.Acquire(prefix, owner, ttl, TimeSpan.FromSeconds(25));
    private readonly LeaseRequest _renew = LeaseRequest.Renew(prefix, owner, apiKey);
    private readonly LeaseRequest _release = LeaseRequest.Release(prefix, owner, apiKey);
    private readonly LeaseRequest _putKey = LeaseRequest.PutKey(prefix, owner);

    public ValueTask<Grant> AcquireAsync(int name) => AcquireAsync(name, ttl);

    public async ValueTask<Grant> AcquireAsync(int name, TimeSpan duration) =>
        Granted(await connection.SendAsync(_acquire.Name(name).Ttl(duration).Bytes), name);

    // False if the name is held: the caller decides whether that is an error.
    public async ValueTask<bool> TryAcquireAsync(int name)
    {
        var answer = await connection.SendAsync(_acquire.Name(name).Ttl(ttl).Bytes);
        if (answer.Status == 409)
            return false;
        Granted(answer, name);
        return true;
    }

    public async ValueTask<Grant> WaitForAsync(int name) =>
        Granted(await connection.SendAsync(_waitingAcquire.Name(name).Bytes), name);

    // Waits again and again, as a client does through the loss of a server: a wait that ran out and an answer that
    // does not tell the outcome are repeated with the same request id. Says how many answers told no outcome.
    public async ValueTask<(Grant Grant, int Unknown)> WaitThroughLossAsync(int name, EventLoop loop)
    {
        var request = LeaseRequest.Acquire(prefix, owner, ttl, TimeSpan.FromSeconds(25), $"{owner}-{name}").Name(name);
        for (var unknown = 0; ;)
        {
            var answer = await connection.SendAsync(request.Bytes);
            if (answer.Status is not 409 and < 500)
                return (Granted(answer, name), unknown);
            if (answer.Status >= 500)
                unknown++;
            await loop.WaitAsync(BeforeRepeating);
        }
    }

    public async ValueTask<Grant> RenewAsync(int name, long token)
    {
        var renewal = Granted(await connection.SendAsync(_renew.Name(name).Token(token).Bytes), name);
        return renewal.Token == token ? renewal : throw new BenchException($"A renewal of token {token} answered {renewal.Token}.");
    }

    public async ValueTask ReleaseAsync(int name, long token)
    {
        var answer = await connection.SendAsync(_release.Name(name).Token(token).Bytes);
        if (answer.Status != 200 || answer.Number("\"token\":"u8) != token)
            throw new BenchException($"Release of {LeaseRequest.NameOf(prefix, name)}, token {token}: {answer}");
    }

    // Binds it to the lease of that token.
    public async ValueTask PutKeyAsync(int key, int name, long token)
    {
        var answer = await connection.SendAsync(_putKey.Key(key).Name(name).Token(token).Bytes);
        if (answer.Status != 200)
            throw new BenchException($"Put of key {key}: {answer}");
    }

    public async ValueTask<bool> HasKeyAsync(int key)
    {
        var answer = await connection.GetAsync(LeaseRequest.PathOfKey(key));
        return answer.Status is 200 or 404 ? answer.Status == 200 : throw new BenchException($"Get of key {key}: {answer}");
    }

    // The request names the leases; the answer must hold a renewal of each, in order.
    public async ValueTask RenewBatchAsync(byte[] request, long[] tokens)
    {
        var answer = await connection.SendAsync(request);
        var rest = answer.Body.Span;
        for (var i = 0; i < tokens.Length && answer.Status == 200; i++)
        {
            var at = rest.IndexOf("\"token\":"u8);
            if (at < 0 || !Utf8Parser.TryParse(rest[(at + 8)..], out long token, out _) || token != tokens[i])
                throw new BenchException($"Renewal {i} of a batch of {tokens.Length} did not answer token {tokens[i]}: {answer}");
            rest = rest[(at + 8)..];
        }

        if (answer.Status != 200 || answer.Body.Span.IndexOf("\"type\":"u8) >= 0)
            throw new BenchException($"A batch of {tokens.Length} renewals: {answer}");
    }

    private Grant Granted(HttpAnswer answer, int name)
    {
        if (answer.Status != 200)
            throw new BenchException($"{LeaseRequest.NameOf(prefix, name)}, owner {owner}: {answer}");
        var grant = new Grant(
            answer.Number("\"token\":"u8),
            TimeSpan.FromMilliseconds(answer.Number("\"elapsedMs\":"u8)),
            TimeSpan.FromMilliseconds(answer.Number("\"remainingMs\":"u8)));
        return grant is { Token: > 0, Remaining.Ticks: > 0 }
            ? grant
            : throw new BenchException($"A grant without a token or time: {answer}");
    }
}
