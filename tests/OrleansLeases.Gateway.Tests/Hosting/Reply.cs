using System.Globalization;
using System.Net;
using System.Text.Json;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>An answer, read whole.</summary>
internal sealed record Reply(int Status, string? ContentType, string? RetryAfter, string? Allow, JsonElement Body)
{
    public string? Type => Body.GetProperty("type").GetString();

    public static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.False(response.StatusCode == HttpStatusCode.InternalServerError, text);
            Assert.True(response.Content.Headers.ContentLength is not null, "There is no Content-Length.");
            return new Reply(
                (int)response.StatusCode,
                response.Content.Headers.ContentType?.ToString(),
                response.Headers.TryGetValues("Retry-After", out var values) ? values.Single() : null,
                string.Join(", ", response.Content.Headers.Allow),
                JsonDocument.Parse(text).RootElement);
        }
    }

    /// <summary>Takes an answer apart that was read as text.</summary>
    public static Reply Parse(string raw)
    {
        var end = raw.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var head = raw[..end].Split("\r\n");
        return new Reply(
            int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture),
            Header("Content-Type"),
            Header("Retry-After"),
            Header("Allow"),
            JsonDocument.Parse(raw[(end + 4)..]).RootElement);

        string? Header(string name) =>
            head.FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
    }

    /// <summary>Makes sure that this is a problem that tells what is wrong with a field.</summary>
    public string AssertInvalid(string field, int status = 400)
    {
        Assert.Equal((status, "application/problem+json", "urn:orleans-leases:invalid-request"), (Status, ContentType, Type));
        Assert.Equal(status, Body.GetProperty("status").GetInt32());
        Assert.True(Body.GetProperty("errors").TryGetProperty(field, out var messages), $"'{field}' is not named: {Body}");
        Assert.NotEmpty(Body.GetProperty("detail").GetString()!);
        return string.Join(" ", messages.EnumerateArray().Select(message => message.GetString()));
    }
}
