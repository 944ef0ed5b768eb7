using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Protocol.Wire;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>Engines as peers: connected before the first hand-off, and not in its way.</summary>
public sealed class EnginePeerTests
{
    private static async Task<JsonNode?> PeerAsync(RunningEngine engine) =>
        JsonNode.Parse(await engine.Http.GetStringAsync(new Uri("/engine/config", UriKind.Relative)))!["peer_agent"];

    private static Task BecomesPeerAsync(RunningEngine engine) => Eventually.TrueAsync(async () => await PeerAsync(engine) is not null, "the engine is a peer");

    private static async Task HandOffAsync(RunningEngine prefill, RunningEngine decode)
    {
        var dialogue = DemoDialogue.Prefill;
        var body = new JsonObject
        {
            ["model"] = "nano-demo", ["messages"] = dialogue.Messages.DeepClone(), ["tools"] = dialogue.Tools?.DeepClone(), ["temperature"] = 0, ["max_tokens"] = 300,
            ["return_token_ids"] = true, ["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true },
        };
        var parked = await prefill.PostAsync("/v1/chat/completions", body);
        body["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.DeepClone() };
        var answer = await decode.PostAsync("/v1/chat/completions", body);
        Assert.Equal(dialogue.TokenIds, answer["choices"]![0]!["token_ids"]!.AsArray().Select(static id => id!.GetValue<int>()));
        await prefill.PostAsync("/pd/free", new { seq_ids = new[] { parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>() } });
        await decode.WaitUntilIdleAsync();
        await prefill.WaitUntilIdleAsync();
    }

    [Theory, InlineData("tcp"), InlineData("auto"), InlineData("ucx")]
    public async Task A_decode_engine_is_connected_to_the_prefill_engines_of_its_model_before_the_first_hand_off(string transport)
    {
        if (transport == "ucx") Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        var server = await CtrlServer.StartAsync();
        await using var decode = await RunningEngine.StartAsync(EngineRole.Decode, transport: transport, ctrl: server.Url);
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill, transport: transport, ctrl: server.Url);
        await Eventually.TrueAsync(async () => (await PeerAsync(decode))?["connections"]!.AsArray() is [{ } c] && (string)c["state"]! == "connected", "connected to prefill");
        var alias = (string)(await PeerAsync(prefill))!["alias"]!;
        Assert.Equal(alias, (string)(await PeerAsync(decode))!["connections"]![0]!["peer"]!);
        Assert.Empty((await PeerAsync(prefill))!["connections"]!.AsArray());
        var region = (await server.OkAsync("/get_mr_info", $$"""{"src":"x","dst":"{{alias}}","mr_name":"kv_cache"}""")).GetProperty("mr_info");
        Assert.Equal(prefill.Model.Runner.KvMemory.Length, region.GetProperty("length").GetInt64());
        await HandOffAsync(prefill, decode);

        await server.DisposeAsync();
        await Eventually.TrueAsync(async () => (await PeerAsync(decode))!["trouble"] is not null, "the agent misses the control plane");
        await HandOffAsync(prefill, decode);
    }

    [Fact]
    public async Task An_engine_serves_without_its_control_plane_and_is_a_peer_once_that_has_come()
    {
        using var reserved = new TcpListener(IPAddress.Loopback, 0);
        reserved.Start();
        var port = ((IPEndPoint)reserved.LocalEndpoint).Port;
        reserved.Stop();
        var url = $"http://127.0.0.1:{port}";
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill, ctrl: url);
        await using var decode = await RunningEngine.StartAsync(EngineRole.Decode, ctrl: url);
        Assert.Null(await PeerAsync(prefill));
        await HandOffAsync(prefill, decode);
        await using var server = await CtrlServer.StartAsync(port: port);
        await Task.WhenAll(BecomesPeerAsync(prefill), BecomesPeerAsync(decode));
    }
}
