using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OrleansLeases.Cli.Mcp;

/// <summary>How the answers of tools are written.</summary>
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class McpJson : JsonSerializerContext;
