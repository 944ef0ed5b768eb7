using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Ctrl.Client;

/// <summary>One entity as the control plane lists it.</summary>
public sealed record EntityInfo
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public required string EntityId { get; init; }
    public string EntityType { get; init; } = "service";
    public required string Kind { get; init; }
    /// <summary>By convention <c>{host, port, protocol}</c>.</summary>
    public JsonNode? Endpoint { get; init; }
    public JsonNode? Metadata { get; init; }
    public JsonNode? Resource { get; init; }

    /// <summary>Null when the element is not an entity of the wire contract. Anyone may register anything: nothing in it may throw later.</summary>
    internal static EntityInfo? TryRead(JsonElement element)
    {
        try
        {
            if (element.ValueKind != JsonValueKind.Object || Text(element, "entity_id") is not { } id || Text(element, "kind") is not { } kind) return null;
            return new EntityInfo
            {
                EntityId = id,
                EntityType = Text(element, "entity_type") ?? "service",
                Kind = kind,
                Endpoint = Node(element, "endpoint"),
                Metadata = Node(element, "metadata"),
                Resource = Node(element, "resource"),
            };
        }
        catch (JsonException) { return null; }                               // a name given twice, deep down
        catch (InvalidOperationException) { return null; }                   // text that is not Unicode
    }

    internal static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static JsonNode? Node(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? JsonNode.Parse(value.GetRawText(), documentOptions: Strict) : null;
}
