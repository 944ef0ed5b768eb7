using System.Text.Json.Nodes;
using NanoAspire.Protocol.Wire;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Server.Tests;

/// <summary>Every transport that moves KV gives the same tokens, and the engine says what it chose and why.</summary>
public sealed class TransportTests
{
    [Theory]
    [InlineData("auto", "shm", "mapped")]
    [InlineData("shm", "shm", "mapped")]
    [InlineData("ucx", "ucx", "UCX")]
    [InlineData("tcp", null, null)]
    [InlineData("loopback", null, null)]
    public async Task A_hand_off_gives_the_reference_tokens_and_the_path_is_told(string transport, string? path, string? reason)
    {
        if (transport == "ucx") Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        await using var prefill = await RunningEngine.StartAsync(EngineRole.Prefill, transport: transport);
        await using var decode = await RunningEngine.StartAsync(EngineRole.Decode, transport: transport);
        var dialogue = DemoDialogue.Prefill;
        var body = new JsonObject
        {
            ["model"] = "nano-demo", ["messages"] = dialogue.Messages.DeepClone(), ["tools"] = dialogue.Tools?.DeepClone(),
            ["temperature"] = 0, ["max_tokens"] = 300, ["return_token_ids"] = true,
            ["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true },
        };
        var parked = await prefill.PostAsync("/v1/chat/completions", body);
        body["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.DeepClone() };
        var answer = await decode.PostAsync("/v1/chat/completions", body);
        Assert.Equal(dialogue.TokenIds, answer["choices"]![0]!["token_ids"]!.AsArray().Select(static id => id!.GetValue<int>()));

        var config = JsonNode.Parse(await decode.Http.GetStringAsync(new Uri("/engine/config", UriKind.Relative)))!;
        Assert.Equal(transport, config["transport"]!.GetValue<string>());
        Assert.Equal(transport, config["transport_requested"]!.GetValue<string>());
        Assert.NotEqual("", config["transport_reason"]!.GetValue<string>());
        var paths = config["transport_paths"]!.AsArray();
        if (path is null)
        {
            Assert.Empty(paths);
        }
        else
        {
            var chosen = Assert.Single(paths)!;
            Assert.Equal((path, "read"), (chosen["path"]!.GetValue<string>(), chosen["access"]!.GetValue<string>()));
            Assert.Contains(reason!, chosen["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        }
        await prefill.PostAsync("/pd/free", new { seq_ids = new[] { parked["kv_transfer_params"]!["seq_id"]!.GetValue<long>() } });
        await decode.WaitUntilIdleAsync();
        await prefill.WaitUntilIdleAsync();
    }
}
