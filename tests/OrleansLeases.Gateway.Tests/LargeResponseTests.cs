using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>A response that is much larger than its request costs the server little, also where its caller does not read it.</summary>
public sealed class LargeResponseTests
{
    private const int Count = 1_000;

    private static readonly string Value = new('v', 64 * 1024);

    [Fact]
    public async Task Batch_OfAThousandLargeValues_IsAnsweredInFull()
    {
        var leases = new ScriptedLeases { OnGetKey = key => new KeyValue { Key = key, Value = Value, Version = 1 } };
        await using var host = await GatewayHost.StartAsync(leases);
        var operations = string.Join(",", Enumerable.Range(0, Count).Select(i => $$"""{"op":"key-get","key":"{{i}}"}"""));

        var reply = await host.PostAsync("/v1/batch", $$"""{"operations":[{{operations}}]}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal(
            Enumerable.Range(0, Count).Select(i => $"{i}"),
            reply.Body.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("body").GetProperty("key").GetString()));
    }

    [Fact]
    public async Task Response_WhoseCallerDoesNotRead_IsMadeNoFurtherThanAPortion()
    {
        var pipe = new Pipe();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(pipe.Writer.AsStream()));
        var made = 0;

        var writing = ResponseWriter.WriteAsync(context, Parts);

        Assert.False(writing.IsCompleted);
        Assert.InRange(made, 1, 10);
        var reading = JsonDocument.ParseAsync(pipe.Reader.AsStream());
        Assert.True(await writing);
        await pipe.Writer.CompleteAsync();
        using var body = await reading;
        Assert.Equal(Count, body.RootElement.GetArrayLength());
        Assert.Equal((Count, "application/json", null), (made, context.Response.ContentType, context.Response.ContentLength));

        IEnumerable<object> Parts(Utf8JsonWriter json)
        {
            json.WriteStartArray();
            for (; made < Count; made++)
            {
                json.WriteStringValue(Value);
                yield return Value;
            }

            json.WriteEndArray();
        }
    }
}
