using System.Net;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client.Tests;

public sealed class SharedCallTests
{
    // Behind a caller that gave the call up the grant is nobody's. Behind an attempt whose time was over it is not: the same request id
    // is asked for at another server meanwhile, and its grant is held.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Grant_ThatComesAfterItsCallerLeft_GoesBackWhereTheCallWasGivenUp(bool givesUp)
    {
        var givenBack = new List<long>();
        var call = new HttpCall<LeaseGrant>(HttpMethod.Post, "", ReplyShape.Of(Wire.Json.LeaseGrant, static _ => true))
        {
            Body = static _ => [], Operation = static () => [], GiveBack = grant => givenBack.Add(grant.Token),
        };
        using var caller = new CancellationTokenSource();
        using var attempt = new CancellationTokenSource();
        var server = new Server(new("http://a"), new(1));
        var shared = new SharedCall<LeaseGrant>(call, new(server, TimeSpan.Zero, Timeout.InfiniteTimeSpan, attempt.Token));
        Assert.True(shared.TrySend(new SharedRequest()));
        var result = shared.ResultAsync(caller.Token).AsTask();
        if (givesUp) await caller.CancelAsync();
        await attempt.CancelAsync();
        if (givesUp) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => result);
        else Assert.Equal(AttemptStatus.Silent, (await result)!.Value.Status);

        shared.Take(new(HttpStatusCode.OK, "application/json", TimeSpan.Zero, """
            {"resource":"a","owner":"ann","token":7,"mode":"exclusive","ttlMs":30000,"remainingMs":29990,
            "elapsedMs":12,"renewAfterMs":10000,"requestId":"a","replayed":false}
            """u8.ToArray()));

        Assert.Equal(givesUp ? [7L] : [], givenBack);
    }
}
