using System.Net;
using System.Text;
using System.Text.Json;
using NanoAspire.Dashboard.Otlp;
using NanoAspire.Dashboard.Telemetry;
using NanoAspire.Dashboard.Tests.Demo;
using static NanoAspire.Dashboard.Tests.Telemetry.Spans;

namespace NanoAspire.Dashboard.Tests.Api;

public sealed class TelemetryApiTests
{
    [Fact]
    public async Task A_trace_comes_out_as_it_went_in()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = Client(dashboard);
        var trace = dashboard.Telemetry.FeaturedTrace;
        using var document = JsonDocument.Parse(await client.GetStringAsync($"/api/telemetry/traces/{trace}"));
        Assert.Equal(13, document.RootElement.GetProperty("totalCount").GetInt32());
        var back = JsonTraces.Read(Encoding.UTF8.GetBytes(document.RootElement.GetProperty("data").GetRawText()), TelemetryResource.From).Items.ToDictionary(span => span.SpanId);
        foreach (var span in dashboard.Server.Store.Traces.Spans(trace))
        {
            var copy = back[span.SpanId];
            Assert.Equal((span.Name, span.ParentId, span.Kind, span.Start, span.End, span.Status, span.Resource.Key, span.Scope), (copy.Name, copy.ParentId, copy.Kind, copy.Start, copy.End, copy.Status, copy.Resource.Key, copy.Scope));
            Assert.Equal(span.Attributes.Select(a => (a.Key, a.Value.ToString())), copy.Attributes.Select(a => (a.Key, a.Value.ToString())));
            Assert.Equal(span.Links.Select(l => l.SpanId), copy.Links.Select(l => l.SpanId));
        }
    }

    [Theory]
    [InlineData("spans?resource=ctrl", 6, 6)]
    [InlineData("spans?hasError=true", 5, 5)]
    [InlineData("spans?limit=10", 200, 10)]
    [InlineData("logs?severity=warning", 2, 2)]
    [InlineData("logs?severity=error&resource=router", 0, 0)]
    [InlineData("traces?hasError=true", 1, 1)]
    [InlineData("traces?resource=ctrl&limit=1", 2, 1)]
    [InlineData("traces?traceId=00", 0, 0)]
    public async Task Answers_are_filtered_and_counted(string query, int total, int returned)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = Client(dashboard);
        using var document = JsonDocument.Parse(await client.GetStringAsync($"/api/telemetry/{query}"));
        Assert.Equal((total, returned), (document.RootElement.GetProperty("totalCount").GetInt32(), document.RootElement.GetProperty("returnedCount").GetInt32()));
    }

    [Fact]
    public async Task Resources_are_listed_with_their_display_names()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = Client(dashboard);
        using var document = JsonDocument.Parse(await client.GetStringAsync("/api/telemetry/resources"));
        Assert.Equal(["ctrl", "decode-hqzkwmtb", "decode-vxrpcjna", "prefill", "router"], document.RootElement.EnumerateArray().Select(r => r.GetProperty("displayName").GetString()));
    }

    [Fact]
    public async Task Following_sends_what_is_there_and_then_what_comes()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        dashboard.Server.Store.Add([Span(1, 1, name: "first")]);
        using var client = Client(dashboard);
        await using var stream = await client.GetStreamAsync("/api/telemetry/spans?follow=true");
        using var reader = new StreamReader(stream);
        Assert.Contains("\"first\"", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        dashboard.Server.Store.Add([Span(2, 1, name: "second")]);
        var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"second\"", line);
        Assert.DoesNotContain("\"first\"", line);
    }

    [Fact]
    public async Task The_key_is_checked_and_unknown_traces_are_404()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.ApiKey = "api-key");
        using var client = new HttpClient { BaseAddress = new Uri(dashboard.Server.Url) };
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/telemetry/spans")).StatusCode);
        client.DefaultRequestHeaders.Add("X-API-Key", "api-key");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/telemetry/spans")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/telemetry/traces/ff")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/traces")).StatusCode);      // the key opens the API only
    }

    private static HttpClient Client(DemoDashboard dashboard) => new() { BaseAddress = new Uri(dashboard.Server.Url), DefaultRequestHeaders = { { "X-API-Key", "otlp-key" } } };
}
