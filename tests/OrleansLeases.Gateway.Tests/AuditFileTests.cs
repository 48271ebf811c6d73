using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The file of an audit: whole lines, in files that are bounded, in their order.</summary>
public sealed class AuditFileTests : IDisposable
{
    private const long Big = 1L << 20;

    // Two of the lines below, and not three.
    private const long TwoLines = 170;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("audit");
    private readonly LogRecords _log = new();
    private readonly ManualTimeProvider _time = new();
    private readonly string _path;

    public AuditFileTests() => _path = Path.Combine(_folder.FullName, "audit.jsonl");

    public void Dispose()
    {
        if (Directory.Exists(_folder.FullName)) _folder.Delete(recursive: true);
    }

    [Fact]
    public void File_ThatIsFull_IsNumbered_AndTheOldestAreDeleted()
    {
        using (var file = new RotatingFile(_path, TwoLines, kept: 2))
            for (var i = 1; i <= 12; i++) file.Append(Line(i));
        using (var file = new RotatingFile(_path, TwoLines, kept: 2)) file.Append(Line(13));

        Assert.Equal(
            ["audit.jsonl", "audit.jsonl.000005", "audit.jsonl.000006", "audit.jsonl.lock"],
            _folder.GetFiles().Select(file => file.Name).Order());
        Assert.Equal([9, 10, 11, 12, 13], AuditReader.Read(_path).Select(record => record!.Token!.Value));
        Assert.All(_folder.GetFiles(), file => Assert.True(file.Length <= TwoLines));
        if (!OperatingSystem.IsWindows())
            Assert.All(_folder.GetFiles(), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode));
    }

    [Fact]
    public void Reader_WhoHasBegun_MissesNothingAndRepeatsNothing_WhenTheFileIsFull()
    {
        using var file = new RotatingFile(_path, TwoLines, kept: 1);
        for (var i = 1; i <= 4; i++) file.Append(Line(i));
        using var reading = AuditReader.Read(_path).GetEnumerator();
        Assert.True(reading.MoveNext());

        for (var i = 5; i <= 12; i++) file.Append(Line(i));
        var read = new List<long> { reading.Current!.Token!.Value };
        while (reading.MoveNext()) read.Add(reading.Current!.Token!.Value);

        Assert.Equal([1, 2, 3, 4], read);
    }

    [Theory]
    [InlineData("{\"at\":\"2030-01-0")]
    [InlineData("{")]
    [InlineData("")]
    public void Line_ThatAKilledProcessHadBegun_IsNoRecord(string torn)
    {
        using (var file = new RotatingFile(_path, Big, kept: 1)) file.Append(Line(1));
        File.AppendAllText(_path, torn);

        using (var file = new RotatingFile(_path, Big, kept: 1)) file.Append(Line(2));

        Assert.Equal([1, 2], AuditReader.Read(_path).Select(record => record!.Token!.Value));
    }

    [Theory]
    [InlineData("SQLite format 3\0")]
    [InlineData("{\"rules\":[]}\nand more")]
    public void File_OfSomethingElse_IsLeftAsItIs(string content)
    {
        File.WriteAllText(_path, content);

        Assert.Contains(
            "is no audit file", Assert.Throws<AuditFileException>(() => new RotatingFile(_path, Big, kept: 1)).Message,
            StringComparison.Ordinal);

        Assert.Equal(content, File.ReadAllText(_path));
    }

    [Fact]
    public void File_OfAnotherServer_OrBehindALink_IsRefused()
    {
        using var file = new RotatingFile(_path, Big, kept: 1);
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, _path);

        Assert.Contains(
            "is another server's", Assert.Throws<AuditFileException>(() => new RotatingFile(_path, Big, kept: 1)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "symbolic link", Assert.Throws<AuditFileException>(() => new RotatingFile(link, Big, kept: 1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void File_ThatWasMovedAway_IsBegunAnew()
    {
        using var file = new RotatingFile(_path, Big, kept: 1);
        file.Append(Line(1));
        File.Move(_path, _path + ".000001");
        file.Append(Line(2));

        Assert.Equal([1, 2], AuditReader.Read(_path).Select(record => record!.Token!.Value));
    }

    [Fact]
    public async Task Records_WhileTheFileCannotBeWritten_WaitUpToABound_AndTheLogSaysHowManyAreMissing()
    {
        var logger = LoggerFactory.Create(logging => logging.AddProvider(_log)).CreateLogger("audit");
        await using (var file = new AuditFile(new RotatingFile(_path, Big, kept: 1), logger, _time))
        {
            file.Add(Record(1));
            await EventuallyAsync(() => AuditReader.Read(_path).Count() == 1);
            _folder.Delete(recursive: true);
            file.Add(Record(2));
            await EventuallyAsync(() => _log.Texts.Any(text => text.Contains("cannot be written", StringComparison.Ordinal)));
            // The bound, and ten more.
            for (var i = 3; i < 3 + 16_384 + 10; i++) file.Add(Record(i));

            _folder.Create();
            await EventuallyAsync(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return File.Exists(_path) && new FileInfo(_path).Length > 0;
            });
        }

        var numbers = AuditReader.Read(_path).Select(record => record!.Token!.Value).ToArray();
        Assert.Equal(Enumerable.Range(2, 1 + 16_384).Select(number => (long)number), numbers);
        var missing = _log.Texts.Where(text => text.Contains("are missing from the audit file", StringComparison.Ordinal));
        Assert.Equal(10, missing.Sum(text => int.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    private static AuditRecord Record(long number) =>
        new() { At = DateTimeOffset.UnixEpoch, Verb = "acquire", Token = number, Outcome = "ok" };

    private static byte[] Line(long number) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(Record(number), AuditJson.Default.AuditRecord), (byte)'\n'];

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, limit.Token);
    }
}
