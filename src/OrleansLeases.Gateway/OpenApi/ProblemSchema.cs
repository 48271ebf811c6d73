using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>The schema of a refusal as a problem, which its converter hides from the framework.</summary>
internal static class ProblemSchema
{
    public static void Fill(OpenApiSchema schema)
    {
        schema.Type = JsonSchemaType.Object;
        schema.Required = new HashSet<string> { "type", "title", "status", "detail" };
        schema.Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = Of(JsonSchemaType.String, "A URI that ends in the word for this kind of refusal, such as 'held'."),
            ["title"] = Of(JsonSchemaType.String, "The kind of refusal, for people."),
            ["status"] = Of(JsonSchemaType.Integer, "The HTTP status."),
            ["detail"] = Of(JsonSchemaType.String, "All of it in a sentence, for people."),
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "invalid-request: by field, what is wrong with it.",
                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(JsonSchemaType.String, null) },
            },
            ["holders"] = new OpenApiSchema { Type = JsonSchemaType.Array, Description = "held: who holds it.", Items = Holder() },
            ["sameOwner"] = Of(JsonSchemaType.Boolean, "held: whether the asking owner is one of the holders."),
            ["position"] = Of(JsonSchemaType.Integer, "held: the place in the queue, from 1, that this request has or would get."),
            ["retryAfterMs"] = Of(JsonSchemaType.Integer, "held, limit-reached, unavailable: when asking again may help."),
            ["reason"] = Words<NotHolderReason>("not-holder: why."),
            ["lastToken"] = Of(JsonSchemaType.Integer, "not-holder: the highest token ever granted for this resource."),
            ["current"] = Of(JsonSchemaType.Integer, "conflict: the version or capacity in force."),
            ["limit"] = Of(JsonSchemaType.String, "limit-reached: which bound."),
            ["requestId"] = Of(JsonSchemaType.String, "outcome-unknown: repeat the call with it to find out."),
        };
    }

    private static OpenApiSchema Holder() => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { "owner", "mode", "remainingMs" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["owner"] = Of(JsonSchemaType.String, "Who holds."),
            ["mode"] = Words<LeaseMode>("How it is held."),
            ["remainingMs"] = Of(JsonSchemaType.Integer, "What is left at most if the holder does not renew."),
        },
    };

    private static OpenApiSchema Words<T>(string description)
        where T : struct, Enum
    {
        var schema = Of(JsonSchemaType.String, description);
        schema.Enum = [.. Enum.GetNames<T>().Select(name => JsonValue.Create(JsonNamingPolicy.KebabCaseLower.ConvertName(name)))];
        return schema;
    }

    private static OpenApiSchema Of(JsonSchemaType type, string? description) => new()
    {
        Type = type,
        Description = description,
        Format = type == JsonSchemaType.Integer ? "int64" : null,
    };
}
