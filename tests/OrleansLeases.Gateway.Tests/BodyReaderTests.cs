using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>A contract that no endpoint knows is read by its metadata alone.</summary>
public sealed class BodyReaderTests
{
    public static TheoryData<string, string[]> Contracts => new()
    {
        { "acquire", FieldsOf(LeaseJson.Default.AcquireRequest) },
        { "renew", FieldsOf(LeaseJson.Default.RenewRequest) },
        { "renew-batch", FieldsOf(LeaseJson.Default.RenewBatchRequest) },
        { "release", FieldsOf(LeaseJson.Default.ReleaseRequest) },
        { "transfer", FieldsOf(LeaseJson.Default.TransferRequest) },
        { "break", FieldsOf(LeaseJson.Default.BreakRequest) },
    };

    [Fact]
    public void Read_WhenEveryFieldIsGiven_SetsEachOfThem()
    {
        var order = Read("""
            {"text":"t","long":-9223372036854775808,"count":7,"flag":true,"spanMs":1500,"mode":"shared","maybeLong":1,"maybeCount":2,
             "maybeFlag":false,"maybeSpanMs":0,"maybeMode":"exclusive","labels":{"a":"b"},"lease":{"resource":"r","owner":"o","token":3},
             "items":[{"resource":"r1","owner":"o1","token":1},{"resource":"r2","owner":"o2","token":2,"ttlMs":100}],"requestId":"id"}
            """);
        Assert.Equal(
            new Order
            {
                Text = "t", Long = long.MinValue, Count = 7, Flag = true, Span = TimeSpan.FromSeconds(1.5), Mode = LeaseMode.Shared,
                MaybeLong = 1, MaybeCount = 2, MaybeFlag = false, MaybeSpan = TimeSpan.Zero, MaybeMode = LeaseMode.Exclusive,
                Labels = order.Labels, Lease = new KeyLease { Resource = "r", Owner = "o", Token = 3 },
                Items = order.Items, RequestId = "id",
            },
            order);
        Assert.Equal(new Dictionary<string, string> { ["a"] = "b" }, order.Labels);
        Assert.Equal(
            [
                new RenewRequest { Resource = "r1", Owner = "o1", Token = 1 },
                new RenewRequest { Resource = "r2", Owner = "o2", Token = 2, Ttl = TimeSpan.FromMilliseconds(100) },
            ],
            order.Items);
    }

    [Fact]
    public void Read_WhenOptionalFieldsAreLeftOut_KeepsTheContractsDefaults()
    {
        Assert.Equal(new Order { Text = "t", RequestId = "header" }, Read("""{"text":"t"}""", idempotencyKey: "header"));
        Assert.Equal(100, Read("""{"text":"t","count":null}""").Count);
    }

    [Fact]
    public void Read_WhenSeveralFieldsAreWrong_NamesEachOfThemAndWhereItIs()
    {
        var body = Start("""{"count":"1","lease":{"resource":1,"token":1},"items":[{},1],"more":1}""", null);
        Reader.Read(ref body);
        Assert.Equal(
            ["count", "items[0].owner", "items[0].resource", "items[0].token", "items[1]", "lease.owner", "lease.resource", "more", "text"],
            body.Errors.ToRefusal().Errors.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{\"items\":[", "{},", "{}]}")]
    [InlineData("{\"items\":[", "1,", "1]}")]
    [InlineData("{\"items\":[{", "\"resource\":1,", "\"a\":1}]}")]
    [InlineData("{\"labels\":{", "\"#\":1,", "\"a\":1}}")]
    [InlineData("{", "\"#\":1,", "\"a\":1}")]
    public void Read_OfAMegabyteOfErrors_TakesDownTheFirst(string begins, string repeated, string ends)
    {
        var text = new StringBuilder(begins);
        for (var number = 0; text.Length < RequestBody.MaxBytes; number++)
            text.Append(repeated.Replace("#", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        var json = Encoding.UTF8.GetBytes(text.Append(ends).ToString());
        Read("{\"text\":\"t\"}");

        var before = GC.GetAllocatedBytesForCurrentThread();
        var body = new FieldReader(json, null, default);
        Assert.True(body.Start());
        Reader.Read(ref body);
        body.End();
        var made = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(body.Errors.ToRefusal().Errors.Count, 1, 50);
        Assert.InRange(made, 1, RequestBody.MaxBytes / 4);
    }

    [Fact]
    public void Reader_OfATypeThatNoBodyCanHave_SaysWhichField()
    {
        var error = Assert.Throws<NotSupportedException>(() => new BodyReader<Unreadable>(OrderJson.Default.Unreadable));
        Assert.Contains("numbers", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Contracts))]
    public void Shapes_OfAnEndpoint_AreTheFieldsOfItsContract(string endpoint, string[] fields)
    {
        var shapes = Shapes.ByEndpoint[endpoint].Select(field => field.Required ? $"{field.Name}, required" : field.Name);
        Assert.Equal(fields, shapes.Order(StringComparer.Ordinal));
    }

    private static BodyReader<Order> Reader { get; } = new(OrderJson.Default.Order);

    private static Order Read(string json, string? idempotencyKey = null)
    {
        var body = Start(json, idempotencyKey);
        var order = Reader.Read(ref body);
        Assert.False(body.Errors.Any);
        return order;
    }

    private static FieldReader Start(string json, string? idempotencyKey)
    {
        var body = new FieldReader(Shapes.Bytes(json), idempotencyKey, default);
        Assert.True(body.Start());
        return body;
    }

    private static string[] FieldsOf(JsonTypeInfo contract) =>
        [.. contract.Properties.Select(field => field.IsRequired ? $"{field.Name}, required" : field.Name).Order(StringComparer.Ordinal)];
}

/// <summary>A field of each type that a body can have.</summary>
internal sealed record Order
{
    public required string Text { get; init; }

    public long Long { get; init; }

    public int Count { get; init; } = 100;

    public bool Flag { get; init; }

    [JsonPropertyName("spanMs")]
    public TimeSpan Span { get; init; }

    public LeaseMode Mode { get; init; }

    public long? MaybeLong { get; init; }

    public int? MaybeCount { get; init; }

    public bool? MaybeFlag { get; init; }

    [JsonPropertyName("maybeSpanMs")]
    public TimeSpan? MaybeSpan { get; init; }

    public LeaseMode? MaybeMode { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public KeyLease? Lease { get; init; }

    public IReadOnlyList<RenewRequest>? Items { get; init; }

    public string? RequestId { get; init; }
}

internal sealed record Unreadable
{
    public IReadOnlyList<int>? Numbers { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(MillisecondsConverter)])]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Unreadable))]
internal sealed partial class OrderJson : JsonSerializerContext;
