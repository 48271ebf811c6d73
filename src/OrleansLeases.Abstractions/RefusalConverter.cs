using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>
/// Writes a refusal as an <c>application/problem+json</c> body (RFC 9457) and reads it back. The one place that
/// knows the problem types and their HTTP statuses.
/// </summary>
public sealed class RefusalConverter : JsonConverter<Refusal>
{
    private const string TypePrefix = "urn:orleans-leases:";

    /// <summary>The word that the type of a problem ends in.</summary>
    internal static string WordOf(RefusalCode code) => Describe(code).Word;

    /// <summary>The HTTP status of a refusal.</summary>
    /// <param name="code">Which kind of refusal.</param>
    /// <returns>The status, 400 to 503.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The code is none of the known ones.</exception>
    public static int StatusOf(RefusalCode code) => code switch
    {
        RefusalCode.InvalidRequest => 400,
        RefusalCode.Unauthorized => 401,
        RefusalCode.Forbidden => 403,
        RefusalCode.NotFound => 404,
        RefusalCode.Held or RefusalCode.NotHolder or RefusalCode.Conflict => 409,
        RefusalCode.LimitReached => 429,
        RefusalCode.OutcomeUnknown or RefusalCode.Unavailable => 503,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "There is no such refusal."),
    };

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Refusal value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        var (word, title) = Describe(value.Code);
        writer.WriteStartObject();
        writer.WriteString("type"u8, TypePrefix + word);
        writer.WriteString("title"u8, title);
        writer.WriteNumber("status"u8, StatusOf(value.Code));
        writer.WriteString("detail"u8, value.Detail);
        switch (value)
        {
            case Refusal.InvalidRequest invalid:
                writer.WriteStartObject("errors"u8);
                foreach (var (field, messages) in invalid.Errors)
                {
                    writer.WriteStartArray(field);
                    foreach (var message in messages) writer.WriteStringValue(message);
                    writer.WriteEndArray();
                }

                writer.WriteEndObject();
                break;
            case Refusal.Held held:
                writer.WritePropertyName("holders"u8);
                JsonSerializer.Serialize(writer, [.. held.Holders], LeaseJson.Default.CurrentHolderArray);
                writer.WriteBoolean("sameOwner"u8, held.SameOwner);
                writer.WriteNumber("position"u8, held.Position);
                WriteMilliseconds(writer, "retryAfterMs"u8, held.RetryAfter);
                break;
            case Refusal.NotHolder notHolder:
                writer.WriteString("reason"u8, JsonNamingPolicy.KebabCaseLower.ConvertName(notHolder.Reason.ToString()));
                writer.WriteNumber("lastToken"u8, notHolder.LastToken);
                break;
            case Refusal.Conflict { Current: { } current }:
                writer.WriteNumber("current"u8, current);
                break;
            case Refusal.LimitReached limit:
                writer.WriteString("limit"u8, limit.Limit);
                WriteMilliseconds(writer, "retryAfterMs"u8, limit.RetryAfter);
                break;
            case Refusal.OutcomeUnknown { RequestId: { } requestId }:
                writer.WriteString("requestId"u8, requestId);
                break;
            case Refusal.Unavailable unavailable:
                WriteMilliseconds(writer, "retryAfterMs"u8, unavailable.RetryAfter);
                break;
        }

        writer.WriteEndObject();
    }

    /// <inheritdoc/>
    public override Refusal? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return Read(document.RootElement);
    }

    internal static Refusal Read(JsonElement problem)
    {
        var type = problem.GetProperty("type").GetString() ?? "";
        var detail = problem.GetProperty("detail").GetString() ?? "";
        return type[(type.LastIndexOf(':') + 1)..] switch
        {
            "invalid-request" => new Refusal.InvalidRequest(
                problem.GetProperty("errors").Deserialize(LeaseJson.Default.DictionaryStringStringArray) ?? [], detail),
            "unauthorized" => new Refusal.Unauthorized(detail),
            "forbidden" => new Refusal.Forbidden(detail),
            "not-found" => new Refusal.NotFound(detail),
            "held" => new Refusal.Held(
                problem.GetProperty("holders").Deserialize(LeaseJson.Default.CurrentHolderArray) ?? [],
                problem.GetProperty("sameOwner").GetBoolean(),
                problem.GetProperty("position").GetInt32(),
                Milliseconds(problem, "retryAfterMs"),
                detail),
            "not-holder" => new Refusal.NotHolder(
                ReasonOf(problem.GetProperty("reason").GetString()), problem.GetProperty("lastToken").GetInt64(), detail),
            "conflict" => new Refusal.Conflict(
                problem.TryGetProperty("current", out var current) ? current.GetInt64() : null, detail),
            "limit-reached" => new Refusal.LimitReached(
                problem.GetProperty("limit").GetString() ?? "", Milliseconds(problem, "retryAfterMs"), detail),
            "outcome-unknown" => new Refusal.OutcomeUnknown(
                problem.TryGetProperty("requestId", out var id) ? id.GetString() : null, detail),
            "unavailable" => new Refusal.Unavailable(Milliseconds(problem, "retryAfterMs"), detail),
            _ => throw new JsonException($"The problem type '{type}' is not one of the lease contract's."),
        };
    }

    private static (string Word, string Title) Describe(RefusalCode code) => code switch
    {
        RefusalCode.InvalidRequest => ("invalid-request", "The request is malformed"),
        RefusalCode.Unauthorized => ("unauthorized", "A credential is needed"),
        RefusalCode.Forbidden => ("forbidden", "Not allowed"),
        RefusalCode.NotFound => ("not-found", "No such key"),
        RefusalCode.Held => ("held", "Held by another"),
        RefusalCode.NotHolder => ("not-holder", "Not the holder"),
        RefusalCode.Conflict => ("conflict", "It does not match what is in force"),
        RefusalCode.LimitReached => ("limit-reached", "A limit was reached"),
        RefusalCode.OutcomeUnknown => ("outcome-unknown", "The outcome is not known"),
        _ => ("unavailable", "The service is not available"),
    };

    private static NotHolderReason ReasonOf(string? word) => word switch
    {
        "expired" => NotHolderReason.Expired,
        "released" => NotHolderReason.Released,
        "transferred" => NotHolderReason.Transferred,
        "broken" => NotHolderReason.Broken,
        "superseded" => NotHolderReason.Superseded,
        "never-held" => NotHolderReason.NeverHeld,
        _ => throw new JsonException($"The reason '{word}' is not one of the lease contract's."),
    };

    private static void WriteMilliseconds(Utf8JsonWriter writer, ReadOnlySpan<byte> name, TimeSpan value) =>
        writer.WriteNumber(name, value.Ticks / TimeSpan.TicksPerMillisecond);

    private static TimeSpan Milliseconds(JsonElement problem, string name) =>
        problem.TryGetProperty(name, out var value) ? TimeSpan.FromMilliseconds(value.GetInt64()) : TimeSpan.Zero;
}

/// <summary>
/// Writes a result as the body of its value, or as the problem; reads a body with a problem's <c>status</c> as the problem.
/// </summary>
public sealed class LeaseResultConverterFactory : JsonConverterFactory
{
    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert)
    {
        ArgumentNullException.ThrowIfNull(typeToConvert);
        return typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(LeaseResult<>);
    }

    /// <inheritdoc/>
    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        typeToConvert == typeof(LeaseResult<LeaseRenewal>) ? new RenewalConverter() : null;

    // Only a batch of renewals carries results inside a body; every other response shows a refusal by its status.
    private sealed class RenewalConverter : JsonConverter<LeaseResult<LeaseRenewal>>
    {
        public override LeaseResult<LeaseRenewal> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.TryGetProperty("status", out _)) return RefusalConverter.Read(document.RootElement);
            return document.RootElement.Deserialize(LeaseJson.Default.LeaseRenewal)
                ?? throw new JsonException("A renewal is missing from the batch.");
        }

        public override void Write(Utf8JsonWriter writer, LeaseResult<LeaseRenewal> value, JsonSerializerOptions options)
        {
            if (value.TryGetValue(out var renewal, out var refusal))
                JsonSerializer.Serialize(writer, renewal, LeaseJson.Default.LeaseRenewal);
            else
                JsonSerializer.Serialize(writer, refusal, LeaseJson.Default.Refusal);
        }
    }
}
