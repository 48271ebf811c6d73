using System.Text.Json.Serialization;

namespace OrleansLeases.Cli.Overview;

/// <summary>The JSON of what only this command says; written as the wire's is.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(MillisecondsConverter)])]
[JsonSerializable(typeof(ServerHealth.Answer))]
[JsonSerializable(typeof(ServersHealth))]
[JsonSerializable(typeof(ServiceStatus))]
[JsonSerializable(typeof(TopFrame))]
internal sealed partial class CliJson : JsonSerializerContext;
