using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>Real processes, really killed: every failure ends in a whole answer or a clear error, and nothing stays held.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    /// <summary>Tenths of a second that anything may take on a loaded machine.</summary>
    private const int Patience = 300;

    private const string Story = "Tell me a long story.";
    private ServiceCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await ServiceCluster.StartAsync();
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_chat_goes_through_prefill_and_decode_whole_and_streamed()
    {
        var prefill = await _cluster.AddEngineAsync("PrefillEngine");
        var decode = await _cluster.AddEngineAsync("DecodeEngine");
        await _cluster.WaitUntilServedAsync();

        var whole = await _cluster.Router.PostAsync("/v1/chat/completions", ServiceCluster.Chat("What is prefill?"));
        var text = whole["choices"]![0]!["message"]!["content"]!.GetValue<string>();
        Assert.StartsWith("Prefill reads the whole prompt at once", text, StringComparison.Ordinal);
        var (streamed, done) = await StreamAsync(ServiceCluster.Chat("What is prefill?", stream: true));
        Assert.True(done);
        Assert.Equal(text, streamed);

        Assert.True(await prefill.MetricAsync("kv_pull") is null or 0);
        Assert.True(await decode.MetricAsync("kv_pull_duration", "_count") >= 2, await decode.Http.GetStringAsync("/metrics"));
        await WaitUntilNothingIsParkedAsync(prefill);
    }

    [Fact]
    public async Task An_engine_that_registers_while_the_router_runs_is_routable()
    {
        using (var before = await _cluster.Router.Http.PostAsJsonAsync("/v1/chat/completions", ServiceCluster.Chat("hello"))) Assert.False(before.IsSuccessStatusCode);
        await _cluster.AddEngineAsync("DecodeEngine", more: ["--mode", "hybrid"]);
        await EventuallyAsync(ServiceCluster.Chat("hello"));
    }

    [Fact]
    public async Task A_prefill_engine_that_dies_during_the_pull_ends_in_an_error_and_frees_the_decode_blocks()
    {
        var prefill = await _cluster.AddEngineAsync("PrefillEngine");
        var decode = await _cluster.AddEngineAsync("DecodeEngine");
        var body = ServiceCluster.Chat(Story);
        var remote = body.DeepClone();
        remote["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true };
        var parked = await prefill.PostAsync("/v1/chat/completions", remote);
        body["kv_transfer_params"] = new JsonObject { ["migration"] = parked["kv_transfer_params"]!["migration"]!.GetValue<string>() };

        prefill.Signal(ServiceProcess.Stop);                 // connected, but silent: the pull has begun and cannot end
        var answer = decode.PostAsync("/v1/chat/completions", body, expected: 503);
        await Task.Delay(300);
        Assert.False(answer.IsCompleted);
        prefill.Signal(ServiceProcess.Kill);
        var error = (await answer)["error"]!;
        Assert.Equal("kv_transfer_error", error["type"]!.GetValue<string>());
        await WaitUntilNoBlocksAreUsedAsync(decode);
    }

    [Fact]
    public async Task A_dead_prefill_engine_is_replaced_by_another_one()
    {
        var first = await _cluster.AddEngineAsync("PrefillEngine");
        var second = await _cluster.AddEngineAsync("PrefillEngine");
        await _cluster.AddEngineAsync("DecodeEngine");
        await _cluster.WaitUntilServedAsync();
        first.Signal(ServiceProcess.Kill);
        for (var i = 0; i < 6; i++)
        {
            var answer = await _cluster.Router.PostAsync("/v1/chat/completions", ServiceCluster.Chat("What is prefill?"));
            Assert.StartsWith("Prefill reads", answer["choices"]![0]!["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
        }
        await WaitUntilNothingIsParkedAsync(second);
    }

    [Fact]
    public async Task A_decode_engine_that_dies_in_mid_stream_ends_the_stream_with_an_error_and_the_next_request_is_served_elsewhere()
    {
        var prefill = await _cluster.AddEngineAsync("PrefillEngine");
        var decode = await _cluster.AddEngineAsync("DecodeEngine");
        await _cluster.WaitUntilServedAsync();
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = "Tell", ["max_tokens"] = 3500, ["ignore_eos"] = true, ["stream"] = true };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) };
        using var response = await _cluster.Router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        decode.Signal(ServiceProcess.Kill);
        var rest = await reader.ReadToEndAsync();
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
        Assert.Contains("\"error\"", rest, StringComparison.Ordinal);
        await WaitUntilNothingIsParkedAsync(prefill);

        await _cluster.AddEngineAsync("DecodeEngine");
        var answer = await EventuallyAsync(ServiceCluster.Chat("What is prefill?"));
        Assert.StartsWith("Prefill reads", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_frees_every_stage()
    {
        var prefill = await _cluster.AddEngineAsync("PrefillEngine");
        var decode = await _cluster.AddEngineAsync("DecodeEngine");
        await _cluster.WaitUntilServedAsync();
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = "Tell", ["max_tokens"] = 3500, ["ignore_eos"] = true, ["stream"] = true };
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) })
        using (var response = await _cluster.Router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            await using var stream = await response.Content.ReadAsStreamAsync();
            Assert.True(await stream.ReadAsync(new byte[16]) > 0);
        }
        await WaitUntilNoBlocksAreUsedAsync(decode);
        await WaitUntilNothingIsParkedAsync(prefill);
    }

    [Fact]
    public async Task A_stopped_engine_finishes_its_stream_leaves_the_registry_and_exits_with_zero()
    {
        var engine = await _cluster.AddEngineAsync("DecodeEngine", more: ["--mode", "hybrid"]);
        await _cluster.WaitUntilServedAsync();
        var body = new JsonObject { ["model"] = "nano-demo", ["prompt"] = "Tell", ["max_tokens"] = 250, ["ignore_eos"] = true, ["stream"] = true };      // well within the drain, also on a busy machine
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) };
        using var response = await _cluster.Router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        engine.Signal(ServiceProcess.Terminate);             // in mid-stream
        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await engine.WaitForExitAsync());
        for (var i = 0; ; i++)
        {
            var list = await _cluster.Ctrl.PostAsync("/list_entities", new { });
            if (list["entities"]!.AsArray().Count == 0) break;
            Assert.True(i < Patience, list.ToJsonString());
            await Task.Delay(100);
        }
    }

    private async Task<string> EventuallyAsync(JsonObject body)
    {
        for (var i = 0; ; i++)
        {
            using var response = await _cluster.Router.Http.PostAsJsonAsync("/v1/chat/completions", body);
            var text = await response.Content.ReadAsStringAsync();
            if (response.IsSuccessStatusCode) return JsonNode.Parse(text)!["choices"]![0]!["message"]!["content"]!.GetValue<string>();
            Assert.True(i < Patience, text);
            await Task.Delay(100);
        }
    }

    private async Task<(string Text, bool Done)> StreamAsync(JsonObject body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        using var response = await _cluster.Router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new System.Text.StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line == "data: [DONE]") return (text.ToString(), true);
            if (line.StartsWith("data: ", StringComparison.Ordinal)) text.Append(JsonNode.Parse(line[6..])!["choices"]?.AsArray().FirstOrDefault()?["delta"]?["content"]?.GetValue<string>());
        }
        return (text.ToString(), false);
    }

    private static async Task WaitUntilNothingIsParkedAsync(ServiceProcess engine)
    {
        for (var i = 0; await engine.MetricAsync("kv_blocks", "parked") is > 0; i++)
        {
            Assert.True(i < Patience, await engine.Http.GetStringAsync("/metrics"));
            await Task.Delay(100);
        }
    }

    private static async Task WaitUntilNoBlocksAreUsedAsync(ServiceProcess engine)
    {
        for (var i = 0; await engine.MetricAsync("kv_blocks", "used") is > 0; i++)
        {
            Assert.True(i < Patience, await engine.Http.GetStringAsync("/metrics"));
            await Task.Delay(100);
        }
    }
}
