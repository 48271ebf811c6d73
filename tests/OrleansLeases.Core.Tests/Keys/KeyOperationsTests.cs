using OrleansLeases.Testing;
using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

public sealed class KeyOperationsTests
{
    [Fact]
    public void Put_ToAKeyThatOthersBindAndUnbindAllTheTime_IsGivenUp()
    {
        var keys = new RestlessKey();
        var calls = new KeyOperations(keys, new FakeKeepers(), new ManualTimeProvider());

        var refusal = Result(calls.PutAsync("k", new PutKeyRequest { Value = "x", RequestId = "q" })).Refusal;

        Assert.Equal(TimeSpan.Zero, Assert.IsType<Refusal.Unavailable>(refusal).RetryAfter);
        Assert.Equal(32, keys.Rounds);
    }

    /// <summary>A key that is bound to another lease whenever it is asked.</summary>
    private sealed class RestlessKey : IKeyKeepers
    {
        public int Rounds { get; private set; }

        public Task<LeaseResult<KeyReply<TReply>>> SubmitAsync<TReply>(string key, KeyCommand<TReply> command)
            where TReply : KeyReply<TReply> => Task.FromResult<LeaseResult<KeyReply<TReply>>>(
                new KeyReply<TReply>.AskWhetherInForce(++Rounds, new("r", "me", Rounds)));
    }
}
