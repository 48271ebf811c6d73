using Microsoft.Extensions.Logging.Abstractions;

namespace OrleansLeases.Grains.Tests;

/// <summary>The response to a caller where a grain did not answer.</summary>
public sealed class GrainHostTests
{
    [Fact]
    public void Explain_OfAGrainThatDidNotAnswer_ClaimsNoMoreThanIsKnown()
    {
        using var host = new GrainHost(grains: null!, new FailureLog(NullLogger<FailureLog>.Instance), last: null);
        foreach (var error in new Exception[] { new TimeoutException(), new IOException("the cable") })
        {
            // The grain may have made the change, or may make it yet.
            Assert.Equal("id", Assert.IsType<Refusal.OutcomeUnknown>(host.Explain(error, isChange: true, "id")).RequestId);
            Assert.IsType<Refusal.Unavailable>(host.Explain(error, isChange: false, requestId: null));
        }
    }
}
