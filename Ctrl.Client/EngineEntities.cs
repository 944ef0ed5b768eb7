using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client;

/// <summary>Engine descriptors as entities and back; reads what original engines register too.</summary>
internal static class EngineEntities
{
    public const string EntityType = "service";
    public const string Kind = "dlengine";

    public static EntityInfo ToEntity(EngineDescriptor engine, DateTimeOffset startedAt)
    {
        var url = new Uri(engine.Url);
        var host = url.IdnHost;
        var served = engine.Models.Count > 0 ? engine.Models[0] : "";
        return new EntityInfo
        {
            EntityId = engine.Id,
            Kind = Kind,
            Endpoint = new JsonObject { ["host"] = host, ["port"] = url.Port, ["protocol"] = url.Scheme },
            Metadata = new JsonObject
            {
                ["served_model_name"] = served,
                ["model_path"] = engine.Models.FirstOrDefault(m => m.Contains('/')) ?? served,
                ["models"] = new JsonArray([.. engine.Models.Select(m => JsonValue.Create(m))]),
                ["role"] = RoleText(engine.Role),
                ["host"] = host,
                ["port"] = url.Port,
                ["engine_id"] = engine.Id,
                ["incarnation"] = engine.Incarnation,
                ["kv_digest"] = engine.KvDigest,
                ["capabilities"] = new JsonArray([.. engine.Capabilities.Select(c => JsonValue.Create(c))]),
                ["state"] = engine.Draining ? "draining" : "ready",
                ["started_at_ms"] = startedAt.ToUnixTimeMilliseconds(),
            },
        };
    }

    /// <summary>Null when the entity names no address.</summary>
    public static ListedEngine? TryRead(EntityInfo entity)
    {
        var endpoint = entity.Endpoint as JsonObject;
        var metadata = entity.Metadata as JsonObject ?? [];
        if ((Text(endpoint, "host") ?? Text(metadata, "host")) is not { Length: > 0 } host) return null;
        if ((Port(endpoint) ?? Port(metadata)) is not { } port) return null;
        if (Address(Text(endpoint, "protocol") == "https" ? "https" : "http", host, port) is not { } url) return null;
        return new ListedEngine(
            new EngineDescriptor
            {
                Id = entity.EntityId,
                Role = ParseRole(Text(metadata, "role")),
                Url = url,
                Models = Models(Texts(metadata, "models"), Text(metadata, "served_model_name"), Text(metadata, "model_path")),
                Incarnation = Text(metadata, "incarnation"),
                KvDigest = Text(metadata, "kv_digest"),
                Capabilities = Texts(metadata, "capabilities"),
                Draining = Text(metadata, "state") == "draining",
            },
            metadata["started_at_ms"] is JsonValue started && started.TryGetValue<long>(out var milliseconds) ? milliseconds : 0);
    }

    /// <summary>An engine of the first-generation API, taken as serving HTTP on its registered port.</summary>
    public static ListedEngine? TryReadEngine(JsonElement info)
    {
        JsonNode? node;
        try { node = JsonNode.Parse(info.GetRawText(), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }); }
        catch (JsonException) { return null; }
        if (node is not JsonObject engine) return null;
        if (Text(engine, "id") is not { Length: > 0 } id || Text(engine, "host") is not { Length: > 0 } host || Port(engine) is not { } port) return null;
        if (Text(engine, "model_path") is not { Length: > 0 } model) return null;
        if (Address("http", host == "0.0.0.0" ? "127.0.0.1" : host, port) is not { } url) return null;
        return new ListedEngine(
            new EngineDescriptor { Id = id, Role = ParseRole(Text(engine, "role")), Url = url, Models = Models([], served: null, model) }, StartedAtMs: 0);
    }

    /// <summary>Case-insensitive; what is unknown or missing serves both phases.</summary>
    public static EngineRole ParseRole(string? role) => role?.ToLowerInvariant() switch
    {
        "prefill" => EngineRole.Prefill,
        "decode" => EngineRole.Decode,
        "encoder" => EngineRole.Encoder,
        _ => EngineRole.Hybrid,
    };

    private static string RoleText(EngineRole role) => role switch
    {
        EngineRole.Prefill => "prefill",
        EngineRole.Decode => "decode",
        EngineRole.Encoder => "encoder",
        _ => "hybrid",
    };

    private static IReadOnlyList<string> Models(string[] listed, string? served, string? path)
    {
        var names = new List<string>(listed);
        if (listed.Length == 0)
        {
            if (served is not null) names.Add(served);
            if (path?.TrimEnd('/') is { Length: > 0 } trimmed) names.AddRange([trimmed, trimmed[(trimmed.LastIndexOf('/') + 1)..]]);
        }
        return [.. names.Where(n => n.Length > 0).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Null when the host is not just a host: whoever uses the URL must be able to trust its shape.</summary>
    private static string? Address(string scheme, string host, int port)
    {
        var text = $"{scheme}://{(host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host)}:{port}";
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { AbsolutePath: "/", UserInfo: "", Query: "", Fragment: "" } && url.Port == port ? text : null;
    }

    private static string? Text(JsonObject? node, string name) => Text(node?[name]);

    private static string[] Texts(JsonObject node, string name) => node[name] is JsonArray array ? [.. array.Select(Text).OfType<string>()] : [];

    private static string? Text(JsonNode? node)
    {
        try { return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null; }
        catch (InvalidOperationException) { return null; }                   // half a surrogate pair: no text at all
    }

    private static int? Port(JsonObject? node)
    {
        if (node?["port"] is not JsonValue value) return null;
        var number = value.TryGetValue<int>(out var port) ? port
            : Text(value) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        return number is > 0 and <= ushort.MaxValue ? number : null;
    }
}

/// <param name="Engine">The engine.</param>
/// <param name="StartedAtMs">When its process registered first; 0 when it does not say. Settles which of two records of one URL is current.</param>
internal sealed record ListedEngine(EngineDescriptor Engine, long StartedAtMs);
