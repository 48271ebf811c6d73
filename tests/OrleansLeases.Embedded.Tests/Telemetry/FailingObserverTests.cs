using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>A listener of metrics or a logger that fails is no failure of the service, and nobody waits for ever because of it.</summary>
public sealed class FailingObserverTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly MeterListener _listener = new();
    private int _failures;

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Calls_GoOn(bool isListener)
    {
        await using var leases = EmbeddedLeases.InMemory(
            isListener ? new() { MeterFactory = new Factory(Listen) } : new() { Logger = new Logger(Fail) }, _time);
        var first = await leases.GrantAsync(By("ann"));
        var waiting = leases.AcquireAsync(By("bob") with { Wait = Seconds(20) }).AsTask();
        await UntilAsync(async () => (await leases.GetAsync(new() { Resource = R })).Value.Waiters == 1);
        await leases.ReleaseAsync(first);
        var second = await waiting.WaitAsync(WaitTimeout);
        Assert.True(second.TryGetValue(out var grant, out var refusal), $"{refusal}");

        var renewal = await leases.RenewAsync(new() { Resource = R, Owner = grant.Owner, Token = grant.Token });
        Assert.Null(renewal.Refusal);
        Assert.Null((await leases.BreakAsync(new() { Resource = R, Grace = TimeSpan.Zero, Force = true, Reason = "r" })).Refusal);
        await leases.GrantAsync(By("carol"));
        _time.Advance(Seconds(31));
        await UntilAsync(async () => (await leases.HistoryAsync(R)).Value.Events[^1].Kind == LeaseEventKind.Expired);

        Assert.True(_failures > 0, "Nothing was observed.");
    }

    private void Listen(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter) && !instrument.IsObservable) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((_, _, _, _) => Fail());
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Fail());
        _listener.SetMeasurementEventCallback<double>((_, _, _, _) => Fail());
        _listener.Start();
    }

    private void Fail()
    {
        Interlocked.Increment(ref _failures);
        throw new InvalidOperationException("It fails.");
    }

    private sealed class Factory(Action<Meter> made) : IMeterFactory
    {
        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            made(meter);
            return meter;
        }

        public void Dispose()
        {
        }
    }

    private sealed class Logger(Action fail) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => fail();
    }
}
