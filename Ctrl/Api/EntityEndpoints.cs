using System.Text;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>The entity API of the second generation; its heartbeat also serves engines and peer agents.</summary>
internal static class EntityEndpoints
{
    /// <summary>One record's JSON; a list of ten thousand must still fit a reply.</summary>
    private const int MaxInfoBytes = 256 * 1024;

    public static void MapEntities(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/register", Effect.Write, RegisterAsync);
        routes.MapApi("/unregister", Effect.Write, UnregisterAsync);
        routes.MapApi("/heartbeat", Effect.Renew, HeartbeatAsync);
        routes.MapApi("/get_entity_info", Effect.Read, FindAsync);
        routes.MapApi("/list_entities", Effect.Read, ListAsync);
    }

    internal static async Task<Reply> HeartbeatAsync(ApiCall call, CancellationToken ct)
    {
        var type = call.Body.Text("entity_type");
        if (type != Names.Agent) CheckType(type);
        var id = call.RecordId(type, "entity_id");
        return await call.Store.RenewAsync(call.Scope, type, id, call.LeaseId(), ct)
            ? Reply.Ok($"Entity {type}:{id} heartbeat received")
            : Reply.NotFound($"Entity {type}:{id} is not registered");
    }

    internal static Reply Found(string field, string? info) => Reply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", info is null ? "not_found" : "ok");
        json.WritePropertyName(field);
        json.WriteRawValue(info ?? "null");
        json.WriteEndObject();
    });

    internal static Reply Listed(string field, IReadOnlyList<string> infos) => Reply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "ok");
        json.WriteStartArray(field);
        foreach (var info in infos) json.WriteRawValue(info);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>Two scopes can spell the same key; the second one to come is told so.</summary>
    internal static Reply Taken(RegistryRecord record) => Reply.Error(StatusCodes.Status409Conflict, $"The key of {record.Type}:{record.Id} belongs to another record");

    internal static void CheckSize(string info)
    {
        if (Encoding.UTF8.GetByteCount(info) > MaxInfoBytes) throw ApiException.Unfit("$", $"the record is larger than {MaxInfoBytes} bytes");
    }

    private static async Task<Reply> RegisterAsync(ApiCall call, CancellationToken ct)
    {
        var record = Read(call);
        if (await call.Store.RegisterAsync(call.Scope, record, ct) is null) return Taken(record);
        return Reply.Ok($"Entity {record.Type}:{record.Id} registered");
    }

    private static async Task<Reply> UnregisterAsync(ApiCall call, CancellationToken ct)
    {
        var type = Type(call);
        var id = call.RecordId(type, "entity_id");
        await call.Store.UnregisterAsync(call.Scope, type, id, call.LeaseId(), ct);
        return Reply.Ok($"Entity {type}:{id} unregistered");
    }

    private static async Task<Reply> FindAsync(ApiCall call, CancellationToken ct)
    {
        var type = call.Body.TextOr("entity_type", Names.Service);
        if (type == Names.Agent) return Found("entity_info", info: null);    // agents have no info record
        CheckType(type);
        return Found("entity_info", await call.Store.FindAsync(call.Scope, type, call.RecordId(type, "entity_id"), ct));
    }

    private static async Task<Reply> ListAsync(ApiCall call, CancellationToken ct)
    {
        var type = call.Body.OptionalText("entity_type") is { Length: > 0 } given ? given : null;
        var kind = call.Body.OptionalText("kind");
        if (type == Names.Agent) return Listed("entities", []);
        if (type is not null) CheckType(type);
        return Listed("entities", await call.Store.ListAsync(call.Scope, type, kind, ct));
    }

    private static string Type(ApiCall call)
    {
        var type = call.Body.TextOr("entity_type", Names.Service);
        CheckType(type);
        return type;
    }

    private static void CheckType(string type)
    {
        if (Names.RefuseType(type) is { } reason) throw ApiException.Unfit("entity_type", reason);
    }

    private static RegistryRecord Read(ApiCall call)
    {
        var type = Type(call);
        var id = call.RecordId(type, "entity_id");
        var kind = ApiCall.Limited("kind", call.Body.Text("kind"), 256)!;
        var endpoint = call.Body.OptionalJson("endpoint");
        var metadata = call.Body.JsonOr("metadata", "{}");
        var resource = call.Body.OptionalJson("resource");
        var info = $$"""{"endpoint":{{endpoint ?? "null"}},"entity_id":{{RegistryEvents.Quote(id)}},"entity_type":{{RegistryEvents.Quote(type)}},"id":{{RegistryEvents.Quote(id)}},"kind":{{RegistryEvents.Quote(kind)}},"metadata":{{metadata}},"resource":{{resource ?? "null"}}}""";
        CheckSize(info);
        return new RegistryRecord
        {
            Type = type,
            Id = id,
            Kind = kind,
            Info = info,
            EventSubject = RegistryEvents.AddSubject(type, id, kind),
            EventPayload = info,
            LeaseId = call.LeaseId(),
            Fields =
            [
                new("entity_type", type), new("entity_id", id), new("kind", kind), new("endpoint", endpoint ?? ""), new("metadata", metadata), new("resource", resource ?? ""),
            ],
        };
    }
}
