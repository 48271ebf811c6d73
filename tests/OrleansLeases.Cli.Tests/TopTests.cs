using OrleansLeases.Cli.Overview;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Cli.Tests;

public sealed class TopTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Rates_AreOfTheLastTenSeconds()
    {
        var rates = new ChangeRates(_time);
        rates.Count(Event(LeaseEventKind.Granted));
        rates.Count(Event(LeaseEventKind.Breaking));
        Assert.Equal(new Rates(1, 0, 0), rates.Read());

        _time.Advance(TimeSpan.FromSeconds(5));
        rates.Count(Event(LeaseEventKind.Expired));
        rates.Count(Event(LeaseEventKind.Released));
        rates.Count(Event(LeaseEventKind.Transferred));
        Assert.Equal(new Rates(0.2, 0.4, 0.2), rates.Read());

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(new Rates(0, 0.2, 0.1), rates.Read());
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(new Rates(0, 0, 0), rates.Read());
    }

    [Fact]
    public async Task Source_CountsWhatTheWatchTells_AndListsAnew()
    {
        await using var leases = EmbeddedLeases.InMemory();
        var started = await TopSource.StartAsync(leases, prefix: null, TimeProvider.System, CancellationToken.None);
        var source = started.Value;
        Assert.Equal((0, 0.0), (source.Current.Leases.Held, source.Current.Rates.Granted));

        await leases.AcquireAsync(new AcquireRequest { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromHours(1) });
        await Eventually.TrueAsync(() => source.Current.Rates.Granted > 0, () => "The grant was never counted.");
        Assert.Equal(0, source.Current.Leases.Held);
        Assert.Equal("r", Assert.Single((await source.NextAsync(CancellationToken.None)).Leases.Names).Resource);
    }

    [Fact]
    public void Frame_ShowsThoseThatWaitFirst_ThenThoseThatEndNext_AsFarAsThereIsRoom()
    {
        var frame = new TopFrame(
            DateTimeOffset.UnixEpoch,
            new HeldNames([Lease("late", 0, 30), Lease("soon", 0, 10), Lease("waited\u202e", 2, 99)], HasMore: true), new Rates(1.5, 0, 0));

        Assert.Equal(
            [
                "00:00:00Z  held more than 3, waiting 2; a second: 1.5 granted, 0 ended, 0 expired",
                "",
                "RESOURCE      WAITING  OWNER  TOKEN  MODE       REMAINING",
                "waited\\u202e  2        ann    7      exclusive  1m 39s",
                "soon          0        ann    7      exclusive  10s",
            ],
            frame.Lines(5));
        Assert.Equal("not up to date: gone", (frame with { Trouble = "not up to date:\ngone" }).Lines(3)[1]);
    }

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("漢字", 4, "漢字")]
    [InlineData("e\u0301😀", 3, "e\u0301😀")]
    public void Width_IsThatOfATerminal(string text, int width, string whole)
    {
        Assert.Equal(width, TextWidth.Of(text));
        Assert.Equal(whole, TextWidth.Cut(text, width));
        Assert.NotEqual(whole, TextWidth.Cut(text, width - 1));
    }

    [Fact]
    public void Screen_GivesTheTerminalBack()
    {
        using var terminal = new StringWriter();
        using (var screen = new Screen(terminal)) screen.Paint(["one", "two"]);
        Assert.Equal("\e[?1049h\e[?25l\e[Hone\e[K\r\ntwo\e[K\e[J\e[?25h\e[?1l\e>\e[?1049l", terminal.ToString());
    }

    [Theory]
    [InlineData(true, "\e[1mRESOURCE  STATE  OWNER  TOKEN  MODE       REMAINING\e[0m\nr\\u001b   \e[32mheld \e[0m  ")]
    [InlineData(false, "RESOURCE  STATE  OWNER  TOKEN  MODE       REMAINING\nr\\u001b   held   ")]
    public void Colours_AreThoseOfTheTerminal_AndOfNoName(bool isColoured, string text)
    {
        using var plain = new StringWriter { NewLine = "\n" };
        using var terminal = new TerminalWriter(plain, isColoured);
        LeasePrinter.Print(
            new LeasePage { Leases = [Lease("r\e", 0, 10)], AsOf = DateTimeOffset.UnixEpoch }, isWide: false, terminal);
        Assert.StartsWith(text, plain.ToString(), StringComparison.Ordinal);
    }

    private static WatchEvent.LeaseChanged Event(LeaseEventKind kind) => new(
        new LeaseEvent { Resource = "r", Sequence = 1, Kind = kind, Owner = "ann", Token = 1, At = DateTimeOffset.UnixEpoch });

    private static LeaseInfo Lease(string resource, int waiters, int seconds) => new()
    {
        Resource = resource,
        State = LeaseStatus.Held,
        Waiters = waiters,
        LastToken = 7,
        Sequence = 1,
        Holders =
        [
            new LeaseHolder
            {
                Owner = "ann", Token = 7, Mode = LeaseMode.Exclusive, Ttl = TimeSpan.FromHours(1),
                Remaining = TimeSpan.FromSeconds(seconds), Metadata = new Dictionary<string, string>(), Keys = [],
            },
        ],
    };
}
