using System.Text;
using System.Text.Json;

namespace NanoAspire.Ctrl.Store;

/// <summary>The JSON texts that peers read from the store.</summary>
internal static class TopologyJson
{
    public static string Render(TopologySpec spec, string scope)
    {
        var peers = string.Join(',', spec.TargetPeers.Select(RegistryEvents.Quote));
        var minBw = spec.MinBw is null ? "null" : RegistryEvents.Quote(spec.MinBw);
        return $$"""{"target_peers":[{{peers}}],"min_bw":{{minBw}},"symmetric":{{(spec.Symmetric ? "true" : "false")}},"scope":{{ScopeJson(scope)}}}""";
    }

    public static string ScopeJson(string scope) => scope.Length == 0 ? "null" : RegistryEvents.Quote(scope);

    public static string CleanupNotice(string agent) => $$"""{"peer":{{RegistryEvents.Quote(agent)}},"type":"cleanup"}""";

    /// <summary>Targets of a stored spec; none when it cannot be read.</summary>
    public static IReadOnlyList<string> Targets(string spec)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(spec));
        try
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("target_peers", out var peers) && peers.ValueKind == JsonValueKind.Array
                ? [.. peers.EnumerateArray().Where(p => p.ValueKind == JsonValueKind.String).Select(p => p.GetString()!)]
                : [];
        }
        catch (JsonException) { return []; }
    }
}
