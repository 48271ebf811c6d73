using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>Corrects the schemas where the wire differs from what the types show.</summary>
internal static class WireSchemas
{
    private const string RenewalOrRefusal = "RenewalOrRefusal";

    /// <summary>Corrects the schema of one type.</summary>
    public static void Correct(OpenApiSchema schema, OpenApiSchemaTransformerContext context)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(TimeSpan) || type == typeof(long))
            BecomeInteger(schema, "int64");
        else if (type == typeof(int))
            BecomeInteger(schema, "int32");
        else if (type.IsEnum)
            schema.Type = JsonSchemaType.String;
        else if (type == typeof(Refusal))
            ProblemSchema.Fill(schema);
        else if (type.Name.EndsWith("Request", StringComparison.Ordinal) || type == typeof(KeyLease))
            schema.AdditionalPropertiesAllowed = false;

        // A field without a value is left out, never null.
        schema.Type &= ~JsonSchemaType.Null;
        // What is counted may be below zero.
        if (context.JsonPropertyInfo?.Name is "delta" or "value" or "clockOffsetMs") schema.Minimum = null;
        // That of an API key is a text.
        if (context.JsonPropertyInfo?.Name != "token" || type != typeof(long)) return;
        schema.Minimum = "1";
        schema.Maximum = Tokens.Max.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Corrects what shows only once all schemas are there.</summary>
    public static void Correct(OpenApiDocument document)
    {
        var schemas = document.Components?.Schemas ?? throw new InvalidOperationException("The document has no schemas.");
        foreach (var properties in schemas.Values.Select(schema => schema.Properties).OfType<IDictionary<string, IOpenApiSchema>>())
        {
            foreach (var (name, property) in properties.ToArray())
                if (property.OneOf?.FirstOrDefault(choice => choice.Type != JsonSchemaType.Null) is { } present) properties[name] = present;
        }

        BatchSchemas.AddTo(document);
        document.AddComponent(RenewalOrRefusal, Either(schemas[nameof(LeaseRenewal)], schemas[nameof(Refusal)]));
        var results = (OpenApiSchema)schemas[nameof(RenewBatchReply)].Properties!["results"];
        results.Items = new OpenApiSchemaReference(RenewalOrRefusal, document);
    }

    // The two have no common field whose value distinguishes them, as client generators need it.
    private static OpenApiSchema Either(IOpenApiSchema renewal, IOpenApiSchema refusal) => new()
    {
        Type = JsonSchemaType.Object,
        Description = "What a renew answers. With type and status it is a problem and has the fields of one; without them it is a renewal.",
        Properties = new Dictionary<string, IOpenApiSchema>([.. renewal.Properties!, .. refusal.Properties!]),
    };

    // A number is never a string of digits, whatever the framework's own reader would take.
    private static void BecomeInteger(OpenApiSchema schema, string format)
    {
        schema.Type = JsonSchemaType.Integer;
        schema.Format = format;
        schema.Pattern = null;
        schema.Minimum = "0";
    }
}
