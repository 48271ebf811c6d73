using System.Text;
using System.Text.Json;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Records of keys, and of leases with keys, stored by earlier versions. The samples are never edited: a new schema gets a file of its
/// own.
/// </summary>
public sealed class KeyCodecTests
{
    private static readonly TimeSpan Start = TimeSpan.FromMilliseconds(1_893_456_000_000);

    [Theory]
    [InlineData("free")]
    [InlineData("bound")]
    [InlineData("counter")]
    [InlineData("deleted")]
    [InlineData("tombstone")]
    public void Encode_WhenDecodedFromTheSample_IsTheSameText(string name) =>
        Assert.Equal(Text("key-schema-1.json", name), Encoding.UTF8.GetString(RecordCodec.Key.Encode(Key(name))));

    [Fact]
    public void Decode_WhenItHasATimeOfItsOwn_KeepsThat_AndThatAnotherOneIsOver()
    {
        var state = RecordCodec.Key.Decode(Encoding.UTF8.GetBytes(Text("key-schema-2.json", "timed")));

        Assert.Equal(2, state.Schema);
        Assert.Equal(new KeyExpiry { Length = Seconds(10), EndsWall = Start + Seconds(21), By = "a" }, state.Expiry);
        Assert.Equal([false, true, false], state.Log.NewestFirst().Select(entry => entry.Expired));
        Assert.Equal(Text("key-schema-2.json", "timed"), Encoding.UTF8.GetString(RecordCodec.Key.Encode(state)));

        TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
    }

    [Theory]
    [InlineData("attached")]
    [InlineData("ended")]
    public void EncodeLease_WhenDecodedFromTheSample_IsTheSameText(string name) => Assert.Equal(
        Text("schema-1-keys.json", name),
        Encoding.UTF8.GetString(
            RecordCodec.Lease.Encode(RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(Text("schema-1-keys.json", name))))));

    [Fact]
    public void Decode_WhenBound_KeepsTheLease()
    {
        var state = Key("bound");

        Assert.Equal((1, 1, 1, 1, "up"), (state.Schema, state.Version, state.Generation, state.Revision, state.Value));
        Assert.Equal(new KeyBinding("orders/42", "me", 5), state.Binding);
        Assert.Equal(
            (KeyEventKind.KeyPut, Start, null),
            Assert.Single(state.Log.NewestFirst()) is var entry ? (entry.Kind, entry.At, entry.Sum) : default);
    }

    [Fact]
    public void Apply_WhenARequestStoredByAnEarlierVersionIsRepeated_KnowsIt()
    {
        var now = new LeaseClock(new OrleansLeases.Testing.ManualTimeProvider()).Read();
        var lease = new KeyLease { Resource = "orders/42", Owner = "me", Token = 5 };

        Assert.Equal(
            new KeyReply.Written(1, null, true), Repeat("free", KeyCommand.Of(new PutKeyRequest { Value = "up", RequestId = "once" })));
        Assert.Equal(
            new KeyReply.Written(1, null, true),
            Repeat("bound", KeyCommand.Of(new PutKeyRequest { Value = "up", Lease = lease, RequestId = "bound" })));
        Assert.Equal(
            new KeyReply.Written(2, 42, true),
            Repeat("counter", KeyCommand.Of(new AddToCounterRequest { Delta = 2, RequestId = "twice" })));
        Assert.Equal(
            new KeyReply.Written(1, null, true),
            Repeat("deleted", KeyCommand.Of(new PutKeyRequest { Value = "up", Lease = lease, RequestId = "bound" })));

        KeyReply Repeat(string name, KeyCommand<KeyReply.Written> command) =>
            KeyMachine.Apply("k", Key(name), command, now, MachineFixture.NewRules()).Reply;
    }

    [Fact]
    public void DecodeLease_WhenItHasKeys_KeepsThemInTheOrderOfTheirBytes()
    {
        var keys = RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(Text("schema-1-keys.json", "attached"))).Holders.Single().Keys!;
        Assert.Equal(["workers/7", "workers/8"], keys.Keys);
        Assert.Equal((3, 0), (keys["workers/7"], keys["workers/8"]));
        Assert.Equal(["B", "a", "workers/7", "workers/8", "é"], keys.Add("é", 1).Add("B", 1).Add("a", 1).Keys);

        var older = RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(Text("schema-1-keys.json", "ended-with-its-time")));
        var ended = Assert.Single(older.Pending!);
        Assert.Equal((1, 2), (ended.Token, ended.Keys.Length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Decode_WhenTheSchemaIsAnother_RefusesAndNamesIt(int schema)
    {
        var text = Text("key-schema-1.json", "free").Replace("\"v\":1", $"\"v\":{schema}", StringComparison.Ordinal);

        var error = Assert.Throws<InvalidDataException>(() => RecordCodec.Key.Decode(Encoding.UTF8.GetBytes(text)));
        Assert.Contains($"schema {schema}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"v\":1}")]
    [InlineData("{\"v\":1,\"ver\":1}")]
    [InlineData("{\"v\":1,\"ver\":1,\"log\":null}")]
    [InlineData("{\"v\":1,\"ver\":1,\"log\":{\"n\":1}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"log\":{\"n\":1,\"e\":null}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"b\":{},\"log\":{\"n\":0,\"e\":[]}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"b\":{\"r\":\"a\",\"t\":1},\"log\":{\"n\":0,\"e\":[]}}")]
    public void Decode_WhenGarbage_Refuses(string text) =>
        Assert.Throws<InvalidDataException>(() => RecordCodec.Key.Decode(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("[null]")]
    [InlineData("[{\"t\":1,\"a\":1}]")]
    [InlineData("[{\"t\":1,\"a\":1,\"k\":null}]")]
    [InlineData("[{\"t\":1,\"a\":1,\"k\":[null]}]")]
    [InlineData("{}")]
    public void DecodeLease_WhenACleanUpIsGarbage_Refuses(string pending) =>
        Assert.Throws<InvalidDataException>(() => RecordCodec.Lease.Decode(
            Encoding.UTF8.GetBytes($$"""{"v":1,"ver":1,"last":1,"holders":[],"log":{"n":0,"e":[]},"out":{{pending}} }""")));

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"a\":\"b\"}")]
    [InlineData("{\"a\":null}")]
    public void DecodeLease_WhenAKeyIsGarbage_Refuses(string keys) => Assert.Throws<InvalidDataException>(() => RecordCodec.Lease.Decode(
        Encoding.UTF8.GetBytes(
            $$$"""{"v":1,"ver":1,"last":1,"holders":[{"o":"me","t":1,"ttl":1,"r":1,"s":1,"by":"a","keys":{{{keys}}} }],"log":"""
            + """{"n":0,"e":[]}}""")));

    private static KeyState Key(string name) => RecordCodec.Key.Decode(Encoding.UTF8.GetBytes(Text("key-schema-1.json", name)));

    private static string Text(string file, string name)
    {
        using var sample = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Storage", file)));
        return sample.RootElement.GetProperty(name).GetRawText();
    }
}
