using System.Text.Json.Nodes;
using NanoAspire.ServiceDefaults.Tests.Telemetry;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>One request is one trace across four processes, as an OTLP collector sees it.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task One_trace_spans_router_prefill_pull_and_decode()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        };
        await using var cluster = await ServiceCluster.StartAsync(environment);
        await cluster.AddEngineAsync("PrefillEngine", environment: environment);
        await cluster.AddEngineAsync("DecodeEngine", environment: environment);
        await cluster.WaitUntilServedAsync();

        var trace = ActivityTraceIdText();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = System.Net.Http.Json.JsonContent.Create<JsonNode>(ServiceCluster.Chat("What is prefill?")),
            Headers = { { "traceparent", $"00-{trace}-00f067aa0ba902b7-01" } },
        };
        using (var response = await cluster.Router.Http.SendAsync(request)) Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());

        var spans = await collector.WaitForAsync(c =>
        {
            var mine = c.Spans.Where(span => span.Hex(1) == trace).ToList();
            return mine.Exists(span => span.Text(5) == "kv.pull") && mine.Count(span => span.Text(5) == "POST /v1/chat/completions") >= 3 && mine.Exists(span => span.Text(5) == "decode") &&
                mine.Count(span => span.Text(5) == "queue") >= 2 ? mine : null;
        });
        string[] names = [.. spans.Select(span => span.Text(5))];
        foreach (var name in (string[])["prefill", "tokenize", "queue"]) Assert.Contains(name, names);
        var pull = spans.Single(span => span.Text(5) == "kv.pull");
        var links = pull.Messages(13).ToList();
        Assert.Equal(trace, Assert.Single(links).Hex(1));
        Assert.DoesNotContain(pull.Messages(15), status => status.Scalar(3) == 2);
        // Every span but the first hangs under another one of the trace.
        var ids = spans.Select(span => span.Hex(2)).ToHashSet();
        Assert.Single(spans, span => !ids.Contains(span.Hex(4)));
        // A few spans a phase, never one a token: the answer has 39 tokens.
        Assert.InRange(spans.Count, 6, 25);
    }

    private static string ActivityTraceIdText() => System.Diagnostics.ActivityTraceId.CreateRandom().ToHexString();
}
