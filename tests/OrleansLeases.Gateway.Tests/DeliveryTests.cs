using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

public sealed class DeliveryTests
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private static string Waiting => Shapes.BodyWith("acquire", "waitMs", "25000");

    [Theory]
    [InlineData("0")]
    [InlineData("25000")]
    public async Task Acquire_WhenCallerHangsUpWhileItWaits_LeavesTheLine(string waitMs)
    {
        var waiting = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (_, cancellation) =>
            {
                waiting.SetResult();
                await UntilCancelledAsync(cancellation);
                left.SetResult();
                throw new OperationCanceledException(cancellation);
            },
        };
        await using var host = await GatewayHost.StartAsync(leases);
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Shapes.BodyWith("acquire", "waitMs", waitMs));
        await waiting.Task.WaitAsync(WaitTimeout);
        connection.HangUp();
        await left.Task.WaitAsync(WaitTimeout);
        await host.StopAsync();
        Assert.IsType<AcquireRequest>(Assert.Single(leases.Asked));
        Assert.Empty(host.Log.OfGateway);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Acquire_WhenCallerHangsUpBeforeTheGrantIsTold_ReleasesIt(bool replayed)
    {
        var waiting = new TaskCompletionSource();
        var answered = new TaskCompletionSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (request, cancellation) =>
            {
                waiting.SetResult();
                await UntilCancelledAsync(cancellation);
                return ScriptedLeases.Grant(request, replayed);
            },
        };
        await using var host = await GatewayHost.StartAsync(leases, around: async (context, next) =>
        {
            await next(context);
            answered.SetResult();
        });
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Waiting);
        await waiting.Task.WaitAsync(WaitTimeout);
        connection.HangUp();
        await answered.Task.WaitAsync(WaitTimeout);
        AssertReleased(leases, !replayed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Acquire_WhenTheGrantCannotBeWritten_ReleasesIt(bool throws)
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases, around: (context, next) =>
        {
            context.Features.Set<IHttpResponseBodyFeature>(new BrokenBody(throws));
            return next(context);
        });
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Waiting);
        await connection.ReadAsync();
        await host.StopAsync();
        AssertReleased(leases, true);
    }

    [Fact]
    public async Task Acquire_WhenTheServiceKnowsNothingOfDeliveries_LeavesTheGrantToExpire()
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(new ForwardingLeases(leases), around: (context, next) =>
        {
            context.Features.Set<IHttpResponseBodyFeature>(new BrokenBody(throws: false));
            return next(context);
        });
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Waiting);
        await connection.ReadAsync();
        await host.StopAsync();
        Assert.IsType<AcquireRequest>(Assert.Single(leases.Asked));
        Assert.Equal(7201, Assert.Single(host.Log.OfGateway).Id);
    }

    [Fact]
    public async Task Acquire_WhenTheUndeliveredGrantCannotBeReleased_LogsIt()
    {
        var leases = new ScriptedLeases { OnGiveBack = _ => throw new InvalidOperationException("Broken.") };
        await using var host = await GatewayHost.StartAsync(leases, around: (context, next) =>
        {
            context.Features.Set<IHttpResponseBodyFeature>(new BrokenBody(throws: false));
            return next(context);
        });
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Waiting);
        await connection.ReadAsync();
        await host.StopAsync();
        Assert.Equal(7202, Assert.Single(host.Log.OfGateway).Id);
    }

    [Fact]
    public async Task Acquire_WhenCallerHangsUpOnceItHasTheGrant_KeepsIt()
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases);
        for (var i = 0; i < 200; i++)
        {
            await using var connection = await host.ConnectAsync();
            await connection.SendPostAsync("/v1/leases/acquire", Waiting);
            Assert.StartsWith("HTTP/1.1 200", await connection.ReadHeadAsync(), StringComparison.Ordinal);
            connection.HangUp();
        }

        await host.StopAsync();
        Assert.All(leases.Asked, asked => Assert.IsType<AcquireRequest>(asked));
    }

    [Fact]
    public async Task Acquire_WhenTheHostStops_IsToldThatItIsUnavailable()
    {
        var waiting = new TaskCompletionSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (_, cancellation) =>
            {
                waiting.SetResult();
                await UntilCancelledAsync(cancellation);
                throw new OperationCanceledException(cancellation);
            },
        };
        await using var host = await GatewayHost.StartAsync(leases);
        var acquire = host.PostAsync("/v1/leases/acquire", Waiting);
        await waiting.Task.WaitAsync(WaitTimeout);
        await host.StopAsync();
        var reply = await acquire;
        Assert.Equal((503, "urn:orleans-leases:unavailable", "1"), (reply.Status, reply.Type, reply.RetryAfter));
    }

    [Fact]
    public async Task Acquire_WhenGrantedAsTheHostStops_IsToldTheGrant()
    {
        var waiting = new TaskCompletionSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (request, cancellation) =>
            {
                waiting.SetResult();
                await UntilCancelledAsync(cancellation);
                return ScriptedLeases.Grant(request);
            },
        };
        await using var host = await GatewayHost.StartAsync(leases);
        var acquire = host.PostAsync("/v1/leases/acquire", Waiting);
        await waiting.Task.WaitAsync(WaitTimeout);
        await host.StopAsync();
        Assert.Equal(200, (await acquire).Status);
        AssertReleased(leases, false);
    }

    private static void AssertReleased(ScriptedLeases leases, bool released)
    {
        Assert.Equal(
            released ? [("resource-a", "owner-a", 7L)] : [],
            leases.Asked.OfType<LeaseGrant>().Select(grant => (grant.Resource, grant.Owner, grant.Token)));
        Assert.Empty(leases.Asked.OfType<ReleaseRequest>());
    }

    private static async Task UntilCancelledAsync(CancellationToken cancellation)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellation.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(WaitTimeout, CancellationToken.None);
    }

    // A connection that is gone although nobody has noticed yet.
    internal sealed class BrokenBody : IHttpResponseBodyFeature
    {
        public BrokenBody(bool throws)
        {
            var pipe = new Pipe();
            pipe.Reader.Complete();
            if (throws) pipe.Writer.Complete();
            Writer = pipe.Writer;
        }

        public Stream Stream => Writer.AsStream();

        public PipeWriter Writer { get; }

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            Task.CompletedTask;

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
