using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>Decode engines killed in the middle of a stream: another goes on, and the client cannot tell.</summary>
public sealed class ContinuationTests : IAsyncLifetime
{
    private ServiceCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await ServiceCluster.StartAsync();
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.3)]
    public async Task A_stream_outlives_its_decode_engine_bit_by_bit(double temperature)
    {
        var prefill = await _cluster.AddEngineAsync("PrefillEngine");
        ServiceProcess[] decodes = [await _cluster.AddEngineAsync("DecodeEngine"), await _cluster.AddEngineAsync("DecodeEngine")];
        await _cluster.WaitUntilServedAsync();
        await WaitForNodesAsync(3);
        var body = new JsonObject
        {
            ["model"] = "nano-demo", ["prompt"] = "Once upon a time", ["temperature"] = temperature, ["seed"] = 99, ["presence_penalty"] = 0.4, ["max_tokens"] = 1200, ["ignore_eos"] = true,
            ["stream"] = true, ["stream_options"] = new JsonObject { ["include_usage"] = true },
        };
        using var undisturbed = await OpenAsync(body);
        var expected = Gather(await undisturbed.ReadToEndAsync());

        var actual = Gather(await BreakAsync(body, decodes));

        Assert.Equal(expected.Text, actual.Text);
        Assert.Equal(expected.Usage, actual.Usage);
        Assert.Equal(expected.Finish, actual.Finish);
        Assert.Single(actual.Ids);
        Assert.True(await _cluster.Router.MetricAsync("router_migrations") is 1, _cluster.Router.Log);
        for (var i = 0; await prefill.MetricAsync("kv_blocks", "parked") is > 0; i++)
        {
            Assert.True(i < 100, "KV stays parked");
            await Task.Delay(100);
        }
    }

    /// <summary>Runs a stream whose decode engine is killed in the middle of it.</summary>
    private async Task<string> BreakAsync(JsonObject body, ServiceProcess[] decodes)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var reader = await OpenAsync(body);
            var begun = "";
            for (var i = 0; i < 10; i++) begun += await reader.ReadLineAsync() + "\n";
            // Both stand still, so that the stream cannot end before we know whose it is.
            foreach (var decode in decodes) decode.Signal(ServiceProcess.Stop);
            var serving = await ServingAsync(decodes);
            serving?.Signal(ServiceProcess.Kill);
            foreach (var decode in decodes.Where(decode => decode != serving)) decode.Signal(ServiceProcess.Continue);
            var rest = await reader.ReadToEndAsync();
            if (serving is not null) return begun + rest;
            Assert.True(attempt < 10, "every stream was over before its engine could be killed");
        }
    }

    private async Task<StreamReader> OpenAsync(JsonObject body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) };
        var response = await _cluster.Router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, _cluster.Router.Log);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The engine that the router waits for; null when it waits for none.</summary>
    private async Task<ServiceProcess?> ServingAsync(IEnumerable<ServiceProcess> decodes)
    {
        var status = JsonNode.Parse(await _cluster.Router.Http.GetStringAsync("/nodes/status"))!.AsObject();
        foreach (var (url, node) in status)
            if (node!["role"]!.GetValue<string>() == "decode" && node["unfinished"]!.GetValue<int>() > 0) return decodes.Single(decode => new Uri(url).Port == decode.Port);
        return null;
    }

    private async Task WaitForNodesAsync(int count)
    {
        for (var i = 0; JsonNode.Parse(await _cluster.Router.Http.GetStringAsync("/nodes/status"))!.AsObject().Count < count; i++)
        {
            Assert.True(i < 300, _cluster.Router.Log);
            await Task.Delay(100);
        }
    }

    private static (string Text, string? Finish, string? Usage, HashSet<string> Ids) Gather(string stream)
    {
        var lines = stream.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..]).ToList();
        Assert.Equal("[DONE]", lines[^1]);
        var chunks = lines[..^1].ConvertAll(line => JsonNode.Parse(line)!);
        var choices = chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).ToList();
        return (
            string.Concat(choices.Select(choice => choice!["text"]!.GetValue<string>())),
            Assert.Single(choices, choice => choice!["finish_reason"] is not null)!["finish_reason"]!.GetValue<string>(),
            Tokens(chunks[^1]["usage"]!),
            [.. chunks.Select(chunk => chunk["id"]!.GetValue<string>())]);

        static string Tokens(JsonNode usage) => $"{usage["prompt_tokens"]} + {usage["completion_tokens"]}";
    }
}
