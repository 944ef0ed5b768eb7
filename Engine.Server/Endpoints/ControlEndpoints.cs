using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Speculation;
using NanoAspire.Native.Rdma.Peers;
using NanoAspire.Protocol.OpenAI;

namespace NanoAspire.Engine.Server.Endpoints;

/// <summary>What an operator asks an engine: its effective configuration, whether it is ready, and to drain.</summary>
internal static class ControlEndpoints
{
    public static void Map(IEndpointRouteBuilder app, ServeOptions options)
    {
        app.MapGet("/ready", static (ServedModel model) => model.Loop.Status is { Healthy: true, Draining: false }
            ? Results.Text("ready")
            : Results.Text("not ready", statusCode: 503));
        var control = app.MapGroup("/engine").AddEndpointFilter((context, next) =>
            Allowed(context.HttpContext.Request, options.CtrlToken)
                ? next(context)
                : ValueTask.FromResult<object?>(Results.Json(
                    OpenAIError.Create("this route needs the control token", "authentication_error", code: "invalid_api_key"), OpenAIJson.Relaxed.OpenAIError, statusCode: 401)));
        control.MapGet("/config", (ServedModel model, IServiceProvider services) =>
            Results.Text(Config(model, options, services.GetService<EnginePeer>()?.Agent).ToJsonString(), "application/json"));
        control.MapPost("/drain", static (ServedModel model, IHostApplicationLifetime lifetime, ILoggerFactory loggers) => Drain(model, lifetime, loggers));
    }

    private static IResult Drain(ServedModel model, IHostApplicationLifetime lifetime, ILoggerFactory loggers)
    {
        Log.Draining(loggers.CreateLogger("NanoAspire.Engine.Server"));
        model.Loop.BeginDrain();
        lifetime.StopApplication();
        return Results.Text("draining", statusCode: 202);
    }

    private static JsonObject Config(ServedModel model, ServeOptions options, PeerAgent? peer)
    {
        var layout = model.Runner.KvMemory.Layout;
        return new()
        {
            ["engine_id"] = model.EngineId,
            ["role"] = model.Role.ToString().ToLowerInvariant(),
            ["models"] = new JsonArray([.. model.Names.Select(name => (JsonNode)name)]),
            ["architecture"] = model.Runner.Model.Architecture,
            ["vocab_size"] = model.Runner.Model.VocabSize,
            ["weight_bytes"] = model.Runner.Model.WeightBytes,
            ["max_model_len"] = model.MaxModelLength,
            ["max_num_batched_tokens"] = options.Engine.Engine.MaxBatchedTokens,
            ["max_num_seqs"] = options.Engine.Engine.MaxSequences,
            ["max_waiting"] = options.Engine.Engine.MaxWaiting,
            ["prefix_caching"] = options.Engine.Engine.PrefixCaching,
            ["speculative"] = options.Engine.Engine.Speculation.ToString().ToLowerInvariant(),
            ["num_speculative_tokens"] = options.Engine.Engine.Speculation == SpeculationMethod.Off ? 0 : options.Engine.Engine.SpeculativeTokens,
            ["handoff_lease_seconds"] = options.Engine.Engine.HandoffLease.TotalSeconds,
            ["dtype"] = options.Engine.Load.DType,
            ["kv_dtype"] = options.Engine.Load.KvDType,
            ["threads"] = options.Engine.Load.Threads,
            ["kvcache_block_size"] = layout.BlockSize,
            ["kv_block_bytes"] = layout.BlockBytes,
            ["num_kvcache_blocks"] = model.Runner.KvMemory.KvBlocks,
            ["num_state_slots"] = model.Runner.KvMemory.StateSlots,
            ["state_slot_bytes"] = layout.StateBlocks * layout.BlockBytes,
            ["kv_digest"] = layout.Digest,
            ["transport"] = model.Transport.Name,
            ["transport_requested"] = options.Engine.Transport,
            ["transport_reason"] = model.Transport.Reason,
            ["transport_paths"] = new JsonArray([.. model.Transport.Paths.Select(path => (JsonNode)new JsonObject
            {
                ["peer"] = path.Peer,
                ["region"] = path.Region.ToString(),
                ["access"] = path.Access,
                ["path"] = path.Path,
                ["reason"] = path.Reason,
            })]),
            ["peer_agent"] = peer is null ? null : new JsonObject
            {
                ["alias"] = peer.Alias,
                ["trouble"] = peer.Trouble,
                ["connections"] = new JsonArray([.. peer.Connections.Select(c => (JsonNode)new JsonObject
                {
                    ["peer"] = c.Peer, ["state"] = c.State.ToString().ToLowerInvariant(), ["address"] = c.Target?.Address, ["cause"] = c.Cause,
                })]),
            },
        };
    }

    private static bool Allowed(HttpRequest request, string? token)
    {
        if (token is null) return true;
        var given = request.Headers.Authorization.ToString();
        return given.StartsWith("Bearer ", StringComparison.Ordinal)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given["Bearer ".Length..]), Encoding.UTF8.GetBytes(token));
    }
}
