using System.Text.Json;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>Peer agents: starting, listing, cleaning up, and the connections wanted between them.</summary>
internal static class AgentEndpoints
{
    private const int MaxTargets = 4096;
    private const int MaxResourceCharacters = 256 * 1024;

    public static void MapAgents(this IEndpointRouteBuilder routes)
    {
        routes.MapApi("/start_peer_agent", Effect.Write, StartAsync);
        routes.MapApi("/query", Effect.Read, QueryAsync);
        routes.MapApi("/cleanup", Effect.Write, CleanupAsync);
        routes.MapApi("/v1/desired_topology/{agent_id}", Effect.Write, SetTopologyAsync);
        routes.MapApi("/v1/read_topology", Effect.Read, ReadTopologyAsync);
    }

    private static async Task<Reply> StartAsync(ApiCall call, CancellationToken ct)
    {
        var body = call.Body;
        var alias = body.OptionalText("alias");
        if (alias is not null) ApiCall.CheckAgent("alias", alias);
        var prefix = body.TextOr("name_prefix", "agent");
        ApiCall.CheckAgent("name_prefix", prefix);
        var agent = new AgentRecord
        {
            Address = ApiCall.Limited("address", body.Text("address"), 255)!,
            Device = ApiCall.Limited("device", body.OptionalText("device"), 255),
            IbPort = body.OptionalU32("ib_port"),
            LinkType = ApiCall.Limited("link_type", body.OptionalText("link_type"), 64),
            Resource = ApiCall.Limited("resource", body.OptionalJson("resource"), MaxResourceCharacters),
            Instance = ApiCall.Limited("instance", body.OptionalText("instance"), 128),
        };
        call.Subject = $"agent:{alias ?? prefix + "-?"}";
        if (await call.Store.StartAgentAsync(call.Scope, alias, prefix, agent, ct) is not { } name)
            return Reply.Error(StatusCodes.Status409Conflict, $"Peer agent alias {alias} is already in use");
        call.Subject = $"agent:{name}";
        var redis = call.Http.RequestServices.GetRequiredService<RedisDirections>().ForAgent(agent.Address);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteString("name", name);
            json.WriteString("redis_address", redis);
            if (agent.Resource is not null)
            {
                json.WritePropertyName("resource");
                json.WriteRawValue(agent.Resource);
            }
            json.WriteEndObject();
        });
    }

    private static async Task<Reply> QueryAsync(ApiCall call, CancellationToken ct)
    {
        var agents = await call.Store.ListAgentsAsync(call.Scope, ct);
        return Reply.Json(json =>
        {
            json.WriteStartArray();
            foreach (var agent in agents) Write(json, agent);
            json.WriteEndArray();
        });
    }

    private static async Task<Reply> CleanupAsync(ApiCall call, CancellationToken ct)
    {
        var name = call.AgentName("agent_name");
        await call.Store.CleanupAgentAsync(call.Scope, name, ct);
        return Reply.Ok($"Agent {name} cleaned up");
    }

    private static async Task<Reply> SetTopologyAsync(ApiCall call, CancellationToken ct)
    {
        var agent = ((string)call.Http.Request.RouteValues["agent_id"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase); // the server decodes all but this
        ApiCall.CheckAgent("agent_id", agent);
        call.Subject = $"agent:{agent}";
        var targets = call.Body.Texts("target_peers", MaxTargets);
        foreach (var target in targets) ApiCall.CheckAgent("target_peers", target);
        var minBw = ApiCall.Limited("min_bw", call.Body.OptionalText("min_bw"), 64);
        await call.Store.SetTopologyAsync(call.Scope, agent, new TopologySpec(targets, minBw, call.Body.FlagOr("symmetric", absent: false)), ct);
        return Reply.Ok();
    }

    /// <summary>Ours: what was declared, so that an agent can follow it without remembering every message about it.</summary>
    private static async Task<Reply> ReadTopologyAsync(ApiCall call, CancellationToken ct)
    {
        var targets = await call.Store.GetTopologyAsync(call.Scope, call.AgentName("agent_name"), ct);
        return Reply.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            if (targets is null) json.WriteNull("target_peers");
            else
            {
                json.WriteStartArray("target_peers");
                foreach (var target in targets) json.WriteStringValue(target);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        });
    }

    private static void Write(Utf8JsonWriter json, AgentRecord agent)
    {
        json.WriteStartObject();
        json.WriteString("name", agent.Name);
        json.WriteString("device", agent.Device ?? "");
        json.WriteNumber("ib_port", agent.IbPort ?? 1);
        json.WriteString("link_type", agent.LinkType ?? "");
        json.WriteString("address", agent.Address);
        json.WritePropertyName("resource");
        json.WriteRawValue(agent.Resource ?? "null");
        json.WriteStartArray("memory_keys");
        foreach (var key in agent.MemoryKeys) json.WriteStringValue(key);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
