using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NanoAspire.ServiceDefaults.Tests.Telemetry;

public sealed partial class OtlpExportTests
{
    [Fact]
    public async Task A_request_through_two_services_is_one_trace()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var engine = await SampleService.StartAsync(
            SampleService.Otlp(collector, "engine"), map: app => app.MapGet("/generate/{id}", (int id) => $"token {id}"));
        var configuration = SampleService.Otlp(collector, "router");
        configuration["services:engine:http:0"] = engine.Url;
        await using var router = await SampleService.StartAsync(
            configuration,
            map: app => app.MapGet("/ask", async (IHttpClientFactory clients) => await clients.CreateClient().GetStringAsync("http://engine/generate/7?key=hidden")));

        using var client = UntracedClient();
        Assert.Equal("token 7", await client.GetStringAsync($"{router.Url}/ask"));

        var inner = await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Text(5) == "GET /generate/{id}"));
        var outer = await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Text(5) == "GET /ask"));
        var call = await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Hex(2) == inner.Hex(4)));
        Assert.Equal(3u, call.Scalar(6));                                             // the client's side of the call
        Assert.Equal(outer.Hex(2), call.Hex(4));
        Assert.Equal([outer.Hex(1)], new[] { outer, call, inner }.Select(span => span.Hex(1)).Distinct());
        Assert.Empty(outer.Hex(4));

        var attributes = inner.Attributes(9);
        Assert.Equal("GET", attributes["http.request.method"]);
        Assert.Equal("/generate/7", attributes["url.path"]);
        Assert.Equal("key=Redacted", attributes["url.query"]);
        Assert.Equal("/generate/{id}", attributes["http.route"]);
        Assert.Equal("200", attributes["http.response.status_code"]);
        Assert.Equal("1.1", attributes["network.protocol.version"]);
        Assert.Equal(new Uri(engine.Url).Port.ToString(), attributes["server.port"]);
        Assert.Contains(collector.Resources, r => r["service.name"] == "engine" && r["service.instance.id"] == "abcdefgh");
        Assert.All(collector.Keys, key => Assert.Equal("secret", key));
    }

    [Fact]
    public async Task Probes_scrapes_and_quiet_endpoints_leave_no_span()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var service = await SampleService.StartAsync(SampleService.Otlp(collector, "quiet"), map: app =>
        {
            app.MapPost("/heartbeat/quiet-one", () => "ok").DisableRequestTracing();
            app.MapGet("/after", () => "ok");
        });
        using var client = UntracedClient();
        foreach (var path in (string[])["/health", "/alive", "/metrics"]) await client.GetStringAsync(service.Url + path);
        (await client.PostAsync($"{service.Url}/heartbeat/quiet-one", content: null)).EnsureSuccessStatusCode();
        await client.GetStringAsync($"{service.Url}/after");

        await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Text(5) == "GET /after"));
        var port = new Uri(service.Url).Port.ToString();
        var paths = collector.Spans.Select(span => span.Attributes(9)).Where(a => a.GetValueOrDefault("server.port") == port).Select(a => a["url.path"]);
        Assert.Equal(["/after"], paths.Distinct());
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("true", 2)]
    public async Task A_call_that_belongs_to_no_request_is_traced_on_neither_side_unless_asked_for(string? keep, int expected)
    {
        await using var collector = await OtlpCollector.StartAsync();
        var configuration = SampleService.Otlp(collector, "background", delay: "600000");
        configuration["Telemetry:TraceBackgroundCalls"] = keep;
        configuration["OTEL_TRACES_SAMPLER"] = "always_on";                           // as the application host sets it in development
        await using var service = await SampleService.StartAsync(configuration, map: app => app.MapPost("/beat", () => "ok"));
        var port = new Uri(service.Url).Port.ToString();
        await Task.Run(async () =>
        {
            Activity.Current = null;
            using var response = await service.App.Services.GetRequiredService<IHttpClientFactory>().CreateClient().PostAsync($"{service.Url}/beat", content: null);
            response.EnsureSuccessStatusCode();
        });
        await service.App.StopAsync();
        await service.DisposeAsync();
        Assert.Equal(expected, collector.Spans.Where(span => span.Attributes(9).GetValueOrDefault("server.port") == port).Select(span => span.Hex(2)).Distinct().Count());
    }

    [Fact]
    public async Task A_failing_handler_marks_its_span()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var service = await SampleService.StartAsync(
            SampleService.Otlp(collector, "failing"),
            map: app => app.MapGet("/fails", IResult () => throw new InvalidOperationException("no blocks left")));
        using var client = UntracedClient();
        using var response = await client.GetAsync($"{service.Url}/fails");
        Assert.Equal(500, (int)response.StatusCode);

        var span = await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Text(5) == "GET /fails"));
        Assert.Equal(2u, span.Message(15).Scalar(3));
        Assert.Equal("System.InvalidOperationException", span.Attributes(9)["error.type"]);
        Assert.Equal("no blocks left", span.Message(11).Attributes(3)["exception.message"]);
    }

    [Fact]
    public async Task Logs_and_own_metrics_arrive_and_a_log_knows_its_span()
    {
        using var meter = new Meter("NanoAspire.Sample");
        var pulled = meter.CreateHistogram("kv.pull.duration", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        await using var collector = await OtlpCollector.StartAsync();
        await using var service = await SampleService.StartAsync(SampleService.Otlp(collector, "logging"), map: app => app.MapGet("/logs", (ILoggerFactory loggers) =>
        {
            pulled.Record(0.75);
            BlocksPulled(loggers.CreateLogger("Kv"), 12);
            return "ok";
        }));
        using var client = UntracedClient();
        await client.GetStringAsync($"{service.Url}/logs");

        var record = await collector.WaitForAsync(c => c.Logs.FirstOrDefault(log => log.Message(5).Text(1) == "12 blocks pulled"));
        var span = await collector.WaitForAsync(c => c.Spans.FirstOrDefault(span => span.Text(5) == "GET /logs"));
        Assert.Equal(span.Hex(2), record.Hex(10));
        Assert.Equal(9u, record.Scalar(2));
        var metric = await collector.WaitForAsync(c => c.Metrics.FirstOrDefault(metric => metric.Text(1) == "kv.pull.duration"));
        var point = metric.Message(9).Messages(1).Single();
        Assert.Equal(1u, point.Scalar(4));
        Assert.Equal([0.5, 1], Enumerable.Range(0, 2).Select(i => BitConverter.ToDouble(point.Bytes(7), i * 8)));
    }

    [Fact]
    public async Task What_is_queued_at_shutdown_is_still_sent()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var service = await SampleService.StartAsync(SampleService.Otlp(collector, "leaving", delay: "600000"), map: app => app.MapGet("/last", () => "ok"));
        using (var client = UntracedClient()) await client.GetStringAsync($"{service.Url}/last");
        Assert.DoesNotContain(collector.Spans, span => span.Text(5) == "GET /last");

        await service.App.StopAsync();
        await service.DisposeAsync();

        Assert.Contains(collector.Spans, span => span.Text(5) == "GET /last");
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_is_exported_and_the_service_works()
    {
        await using var service = await SampleService.StartAsync([], map: app => app.MapGet("/plain", () => "ok"));
        using var client = UntracedClient();
        Assert.Equal("ok", await client.GetStringAsync($"{service.Url}/plain"));
        Assert.Null(service.App.Services.GetService<OpenTelemetry.Trace.TracerProvider>());
    }

    [Fact]
    public async Task A_quiet_client_sends_no_trace_context()
    {
        await using var collector = await OtlpCollector.StartAsync();
        string? received = null;
        await using var service = await SampleService.StartAsync(
            SampleService.Otlp(collector, "quiet-client"),
            builder => builder.Services.AddHttpClient("heartbeat").DisableRequestTracing(),
            app => app.MapGet("/echo", (HttpContext context) => received = context.Request.Headers.TraceParent.ToString()));
        using var activity = new Activity("sender").SetIdFormat(ActivityIdFormat.W3C).Start();
        var clients = service.App.Services.GetRequiredService<IHttpClientFactory>();

        await clients.CreateClient("heartbeat").GetStringAsync($"{service.Url}/echo");
        Assert.Equal("", received);
        await clients.CreateClient("normal").GetStringAsync($"{service.Url}/echo");
        Assert.Contains(activity.TraceId.ToHexString(), received);
    }

    private static HttpClient UntracedClient() => new(new SocketsHttpHandler { ActivityHeadersPropagator = null });

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} blocks pulled")]
    private static partial void BlocksPulled(ILogger logger, int count);
}
