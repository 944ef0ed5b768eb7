using System.Text.Json;

namespace NanoAspire.Router.Relay;

/// <summary>The error an engine answered with, read leniently: some wrap it, some do not, some send no JSON at all.</summary>
internal readonly record struct EngineErrorBody(string? Message, string? Type, string? Code)
{
    /// <summary>Types and codes with which a decode engine says that the hand-off, not the request, is to blame.</summary>
    private static readonly HashSet<string> HandoffProblems = new(StringComparer.Ordinal)
    {
        "kv_transfer_error", "kv_transfer_failed", "kv_transfer_timeout", "kv_corrupt", "lease_expired", "incompatible_layout", "peer_gone",
    };

    /// <summary>With which an engine says that it could not read what an encoder made of the images.</summary>
    private static readonly HashSet<string> SlotProblems = new(StringComparer.Ordinal)
    {
        "vision_slot_lost", "vision_transfer_error", "vision_transfer_failed", "vision_transfer_timeout",
    };

    public bool BlamesSlots => (Type is not null && SlotProblems.Contains(Type)) || (Code is not null && SlotProblems.Contains(Code));

    public bool BlamesHandoff => (Type is not null && HandoffProblems.Contains(Type)) || (Code is not null && HandoffProblems.Contains(Code));

    public static EngineErrorBody Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.ValueKind is JsonValueKind.Object && root.TryGetProperty("error", out var error)) root = error;
            if (root.ValueKind is JsonValueKind.String) return new(root.GetString(), null, null);
            return root.ValueKind is JsonValueKind.Object ? new(Text(root, "message"), Text(root, "type"), Text(root, "code")) : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    private static string? Text(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
