using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>Roles as people and other routers write them.</summary>
internal static class NodeRoles
{
    /// <summary>A word in any case, or 1 hybrid, 2 prefill, 3 decode, 4 encoder; nothing means hybrid.</summary>
    public static bool TryParse(JsonNode? value, out EngineRole role)
    {
        role = EngineRole.Hybrid;
        return value?.ToString() is not { } text || TryParse(text, out role);
    }

    public static bool TryParse(string text, out EngineRole role)
    {
        (var known, role) = text.ToLowerInvariant() switch
        {
            "hybrid" or "1" => (true, EngineRole.Hybrid),
            "prefill" or "2" => (true, EngineRole.Prefill),
            "decode" or "3" => (true, EngineRole.Decode),
            "encoder" or "4" => (true, EngineRole.Encoder),
            _ => (false, EngineRole.Hybrid),
        };
        return known;
    }
}
