using System.Text.Json.Serialization;

namespace OrleansLeases.Gateway.Audit;

/// <summary>The JSON of an audit file. All but printable ASCII is escaped, so that a record is a line whatever names are in it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditRecord))]
internal sealed partial class AuditJson : JsonSerializerContext;
