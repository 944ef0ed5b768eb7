using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>The engine API of the first generation.</summary>
internal static class EngineEndpoints
{
    private const int MaxPeers = 4096;
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "engine_id", "id", "role", "world_size", "num_blocks", "host", "port", "peer_addrs", "p2p_host", "p2p_port", "max_num_seqs", "model_path", "scope", "lease_id",
    };

    public static void MapEngines(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/register_engine", Effect.Write, RegisterAsync);
        routes.MapApi("/unregister_engine", Effect.Write, UnregisterAsync);
        routes.MapApi("/heartbeat_engine", Effect.Renew, HeartbeatAsync);
        routes.MapApi("/get_engine_info", Effect.Read, FindAsync);
        routes.MapApi("/list_engines", Effect.Read, ListAsync);
    }

    private static async Task<Reply> RegisterAsync(ApiCall call, CancellationToken ct)
    {
        var record = Read(call);
        if (await call.Store.RegisterAsync(call.Scope, record, ct) is null) return EntityEndpoints.Taken(record);
        return Reply.Ok($"Engine {record.Id} registered");
    }

    private static async Task<Reply> UnregisterAsync(ApiCall call, CancellationToken ct)
    {
        var id = call.RecordId(Names.Engine, "engine_id");
        await call.Store.UnregisterAsync(call.Scope, Names.Engine, id, call.LeaseId(), ct);
        return Reply.Ok($"Engine {id} unregistered");
    }

    /// <summary>Takes the old body <c>{engine_id}</c> and the newer <c>{entity_type, entity_id}</c>.</summary>
    private static async Task<Reply> HeartbeatAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Body.OptionalText("engine_id") is null && call.Body.OptionalText("entity_id") is not null) return await EntityEndpoints.HeartbeatAsync(call, ct);
        var id = call.RecordId(Names.Engine, "engine_id");
        return await call.Store.RenewAsync(call.Scope, Names.Engine, id, call.LeaseId(), ct)
            ? Reply.Ok($"Engine {id} heartbeat received")
            : Reply.NotFound($"Engine {id} is not registered");
    }

    private static async Task<Reply> FindAsync(ApiCall call, CancellationToken ct)
    {
        var id = call.RecordId(Names.Engine, "engine_id");
        return EntityEndpoints.Found("engine_info", await call.Store.FindAsync(call.Scope, Names.Engine, id, ct));
    }

    private static async Task<Reply> ListAsync(ApiCall call, CancellationToken ct) =>
        EntityEndpoints.Listed("engines", await call.Store.ListAsync(call.Scope, Names.Engine, kind: null, ct));

    private static RegistryRecord Read(ApiCall call)
    {
        var body = call.Body;
        var id = call.RecordId(Names.Engine, "engine_id");
        var role = ApiCall.Limited("role", body.Text("role"), 64)!;
        var worldSize = body.U32("world_size");
        var blocks = body.U32("num_blocks");
        var host = ApiCall.Limited("host", body.Text("host"), 255)!;
        var port = Port("port", body.U32("port"));
        var peers = body.Texts("peer_addrs", MaxPeers);
        var p2pHost = ApiCall.Limited("p2p_host", body.OptionalText("p2p_host"), 255) ?? "";
        var p2pPort = Port("p2p_port", body.OptionalU32("p2p_port") ?? 0);
        var sequences = body.OptionalU32("max_num_seqs") ?? 0;
        var model = ApiCall.Limited("model_path", body.OptionalText("model_path"), 4096);

        var peersJson = Render(json => WriteTexts(json, peers));
        var info = Render(json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("role", role);
            json.WriteNumber("world_size", worldSize);
            json.WriteNumber("num_blocks", blocks);
            json.WriteString("host", host);
            json.WriteNumber("port", port);
            json.WritePropertyName("peer_addrs");
            json.WriteRawValue(peersJson);
            json.WriteString("p2p_host", p2pHost);
            json.WriteNumber("p2p_port", p2pPort);
            json.WriteNumber("max_num_seqs", sequences);
            json.WriteString("model_path", model);
            foreach (var (name, value) in body.Fields)                       // newer engines say more than the contract knows: keep it
            {
                if (Known.Contains(name)) continue;
                json.WritePropertyName(name);
                json.WriteRawValue(value.GetRawText());
            }
            json.WriteEndObject();
        });
        EntityEndpoints.CheckSize(info);
        var payload = Render(json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("role", role);
            json.WriteString("host", host);
            json.WriteNumber("port", port);
            json.WriteString("zmq_address", $"tcp://{host}:{port}");
            json.WriteNumber("world_size", worldSize);
            json.WriteNumber("num_blocks", blocks);
            json.WritePropertyName("peer_addrs");
            json.WriteRawValue(peersJson);
            json.WriteString("model_path", model);
            json.WriteEndObject();
        });
        return new RegistryRecord
        {
            Type = Names.Engine,
            Id = id,
            Info = info,
            EventSubject = RegistryEvents.EngineSubject(id),
            EventPayload = payload,
            LeaseId = call.LeaseId(),
            Fields =
            [
                new("id", id), new("role", role), new("host", host), new("port", Number(port)), new("world_size", Number(worldSize)),
                new("num_blocks", Number(blocks)), new("peer_addrs", peersJson), new("model_path", model ?? ""),
            ],
        };
    }

    private static uint Port(string field, uint port) => port <= ushort.MaxValue ? port : throw ApiException.Unfit(field, "is not a port number");

    private static string Number(uint number) => number.ToString(CultureInfo.InvariantCulture);

    private static void WriteTexts(Utf8JsonWriter json, string[] texts)
    {
        json.WriteStartArray();
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static string Render(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true })) write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
