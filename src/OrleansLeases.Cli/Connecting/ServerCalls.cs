using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Cli.Connecting;

/// <summary>Calls of the contract that are about no lease: the first server that can be reached answers.</summary>
internal static class ServerCalls
{
    public static async Task<LeaseResult<T>> SendAsync<T>(
        HttpClient http, IEnumerable<string> servers, HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> type,
        CancellationToken cancellationToken)
        where T : class
    {
        Refusal refusal = new Refusal.Unavailable(TimeSpan.Zero, "There is no server.");
        foreach (var server in servers)
        {
            try
            {
                using var request = new HttpRequestMessage(method, server.TrimEnd('/') + path);
                if (body is not null)
                    request.Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
                using var response = await http.SendAsync(request, cancellationToken);
                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                return response.IsSuccessStatusCode
                    ? JsonSerializer.Deserialize(text, type)!
                    : JsonSerializer.Deserialize(text, LeaseJson.Default.Refusal)!;
            }
            catch (HttpRequestException error)
            {
                refusal = new Refusal.Unavailable(TimeSpan.Zero, $"{server} cannot be reached: {error.Message}");
            }
            catch (JsonException)
            {
                refusal = new Refusal.Unavailable(TimeSpan.Zero, $"The answer of {server} is not a lease server's. Check the address.");
            }
        }

        return refusal;
    }
}
