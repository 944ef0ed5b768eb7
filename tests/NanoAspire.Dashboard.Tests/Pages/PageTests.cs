using System.Net;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Telemetry;
using NanoAspire.Dashboard.Tests.Demo;
using static NanoAspire.Dashboard.Tests.Telemetry.Spans;

namespace NanoAspire.Dashboard.Tests.Pages;

public sealed class PageTests
{
    private const string Attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

    [Fact]
    public async Task Whatever_telemetry_and_resources_hold_is_text_on_every_page()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        dashboard.Resources.Set(new DashboardResource
        {
            Name = Attack, DisplayName = Attack, Type = Attack, State = Attack, Source = Attack, Urls = [new(Attack, "javascript:alert(3)"), new("x", Attack)], Environment = [new(Attack, Attack)],
            Properties = [new(Attack, Attack)], Relations = [new(Attack, Attack)], Commands = [new(Attack, Attack, Highlighted: true, Confirmation: Attack)], HealthReports = [new(Attack, false, Attack)],
        });
        var store = dashboard.Server.Store;
        var process = store.Resources.Intern([new("service.name", Attack), new("service.instance.id", Attack)]);
        var span = Span(1, 1, name: Attack, start: 10, end: 20, error: true, kind: SpanKind.Client, attributes: [new(Attack, Attack), new("peer.service", Attack), new("gen_ai.provider.name", Attack)]) with
        {
            Resource = process, StatusMessage = Attack, Scope = Attack, TraceState = Attack, Events = [new(12, Attack, [new(Attack, Attack)])], Links = [new(1.ToString("x32"), 1.ToString("x16"), [])],
        };
        store.Add([span]);
        store.Add([Log(Attack, 17, attributes: [new(Attack, Attack), new("exception.stacktrace", Attack)]) with { Resource = process, Scope = Attack, TraceId = span.TraceId, SpanId = span.SpanId, Time = 15 }]);
        store.Add([new Dashboard.Metrics.MetricData
        {
            Resource = process, Meter = Attack, Name = "requests_running", Unit = Attack, Description = Attack, Shape = Dashboard.Metrics.MetricShape.Gauge,
            Points = [new(Nanoseconds.From(FixedTime.Noon), [new(Attack, Attack)], 1)],
        }]);
        using var client = await dashboard.SignInAsync();
        var name = Uri.EscapeDataString(Attack);
        foreach (var path in (string[])
        [
            "/", $"/?resource={name}&q={name}", $"/?resource={name}", $"/?view=graph&resource={name}", "/traces", $"/traces?q={name}&resource={name}&type={name}&filters={name}", $"/traces/detail/{span.TraceId}?spanId={span.SpanId}",
            $"/traces/detail/{name}", "/structuredlogs?log=1", $"/structuredlogs?traceId={name}&q={name}", "/metrics", $"/metrics?resource={name}&instrument={name}&duration={name}", "/inference", $"/inference?duration={name}",
            $"/consolelogs/resource/{name}", $"/consolelogs/resource/{name}x", $"/login?returnUrl=/{name}",
        ])
        {
            using var response = await client.GetAsync(path);
            var html = await response.Content.ReadAsStringAsync();
            Assert.DoesNotContain("<script>", html);
            Assert.DoesNotContain("<img", html);
            Assert.DoesNotContain("href=\"javascript:", html);
            Assert.DoesNotContain("\"'>", html);
            Assert.Contains("script-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single());
        }
        Assert.Contains("&lt;script&gt;alert(1)", await client.GetStringAsync("/traces"));
    }

    [Theory]
    [InlineData("/", "decode-hqzkwmtb")]
    [InlineData("/?view=graph", "decode ×2")]
    [InlineData("/traces", "POST /v1/chat/completions")]
    [InlineData("/traces/resource/ctrl", "POST /register_engine")]
    [InlineData("/structuredlogs", "Pulled 512 KiB")]
    [InlineData("/structuredlogs/resource/router", "nano-demo goes to prefill")]
    [InlineData("/metrics/resource/prefill", "gen_ai.server.time_to_first_token")]
    [InlineData("/inference", "prefill")]
    [InlineData("/consolelogs/resource/router", "data-stream=\"/consolelogs/stream?name=router\"")]
    public async Task Every_page_shows_what_it_is_for(string path, string expected)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        Assert.Contains(expected, await client.GetStringAsync(path));
    }

    [Fact]
    public async Task A_fragment_is_the_inside_of_the_page_and_names_its_topics()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/traces") { Headers = { { "X-Fragment", "1" } } };
        using var response = await client.SendAsync(request);
        var html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<html", html);
        Assert.Equal("traces", response.Headers.GetValues("X-Topics").Single());
        Assert.Contains(html, await client.GetStringAsync("/traces"));
    }

    [Fact]
    public async Task Secrets_are_not_in_the_page_but_are_shown_on_demand()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        var html = await client.GetStringAsync("/?resource=router");
        Assert.DoesNotContain("hunter2", html);
        Assert.DoesNotContain("5a1f00c0ffee", html);
        Assert.Contains("services__ctrl__http__0", html);
        Assert.Contains("localhost:41379,password=hunter2", await client.GetStringAsync("/resources/router/environment/ConnectionStrings__redis"));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/resources/router/environment/PATH")).StatusCode);
    }

    [Theory]
    [InlineData("/traces?errors=1", 1, "err-mark")]
    [InlineData("/traces?resource=ctrl", 2, "register_engine")]
    [InlineData("/traces?type=kv", 15, "POST")]
    [InlineData("/traces?q=PUBLISH", 2, "register_engine")]
    [InlineData("/traces?filters=db.operation.name%3Aequals%3APUBLISH", 2, "register_engine")]
    [InlineData("/traces?filters=duration%3Agt%3A100000", 0, "Nothing matches")]
    public async Task Traces_are_filtered(string path, int expected, string text)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        var html = await client.GetStringAsync(path);
        Assert.Equal(expected, html.Split("<tr id=\"t-").Length - 1);
        Assert.Contains(text, html);
    }

    [Theory]
    [InlineData("?logLevel=Warning", 2)]
    [InlineData("?logLevel=Error", 1)]
    [InlineData("?q=lease_expired", 1)]
    [InlineData("?resource=router", 16)]
    [InlineData("?filters=category%3Aequals%3ANanoAspire.Engine", 15)]
    public async Task Logs_are_filtered(string query, int expected)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        Assert.Equal(expected, (await client.GetStringAsync("/structuredlogs" + query)).Split("<tr id=\"l-").Length - 1);
    }

    [Fact]
    public async Task A_traces_page_shows_its_logs_links_and_bars()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        var trace = dashboard.Telemetry.FeaturedTrace;
        var pull = dashboard.Server.Store.Traces.Spans(trace).Single(span => span.Name == "kv.pull");
        var html = await client.GetStringAsync($"/traces/detail/{trace}?spanId={pull.SpanId}");
        Assert.Equal(13, html.Split("<li id=\"s-").Length - 1);
        Assert.Contains("<dt>kv.bytes</dt><dd>524288</dd>", html);
        Assert.Contains("Links", html);
        Assert.Contains("512 KiB", html);
        var prefill = dashboard.Server.Store.Traces.Spans(trace).Single(span => span.Name == "prefill");
        Assert.Contains("Linked from", await client.GetStringAsync($"/traces/detail/{trace}?spanId={prefill.SpanId}"));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/traces/detail/ffff")).StatusCode);
    }

    [Fact]
    public async Task A_crashed_engine_is_shown_as_such_on_the_inference_page()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        Assert.DoesNotContain("Exited", await client.GetStringAsync("/inference"));
        var engine = dashboard.Resources.Snapshot().Single(resource => resource.Name == "decode-hqzkwmtb");
        dashboard.Resources.Set(engine with { State = "Exited", Tone = ResourceTone.Bad, ExitCode = 137 });
        dashboard.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Contains("Exited", await client.GetStringAsync("/inference"));
        Assert.Contains("Exited (137)", await client.GetStringAsync("/"));
    }

    [Fact]
    public async Task An_engine_that_falls_silent_is_said_to_be()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        dashboard.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("Silent", await client.GetStringAsync("/inference"));
    }

    [Fact]
    public async Task Inference_figures_are_those_of_the_metrics()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        var store = dashboard.Server.Store;
        var engine = store.Resources.Intern([new("service.name", "engine"), new("nanoaspire.engine.role", "decode")]);
        foreach (var (ago, tokens) in ((int, double)[])[(60, 1000), (0, 1600)])
        {
            var time = Nanoseconds.From(FixedTime.Noon.AddSeconds(-ago));
            store.Add([
                Metric("requests_running", Dashboard.Metrics.MetricShape.Gauge, new Dashboard.Metrics.MetricPointData(time, [], 3)),
                Metric("kv_blocks", Dashboard.Metrics.MetricShape.Gauge, new(time, [new("state", "used")], 25), new(time, [new("state", "free")], 75)),
                Metric("tokens_total", Dashboard.Metrics.MetricShape.Sum, new(time, [new("kind", "completion")], tokens), new(time, [new("kind", "prompt")], tokens)),
                Metric("prefix_hit_tokens_total", Dashboard.Metrics.MetricShape.Sum, new Dashboard.Metrics.MetricPointData(time, [], tokens / 4)),
            ]);
        }
        using var client = await dashboard.SignInAsync();
        var html = await client.GetStringAsync("/inference?duration=1m");
        Assert.Contains("<p class=\"figure\">10<span>tokens/s</span>", html);         // 600 tokens in a minute
        Assert.Contains("<p class=\"figure\">25%<span>of prompt tokens</span>", html);
        Assert.Contains("<p class=\"figure\">25%<span>in use</span>", html);
        Assert.Contains("<p class=\"figure\">3<span>running</span>", html);
        Assert.Contains("<span class=\"role\">Decode</span>", html);

        Dashboard.Metrics.MetricData Metric(string name, Dashboard.Metrics.MetricShape shape, params Dashboard.Metrics.MetricPointData[] points) =>
            new() { Resource = engine, Meter = "NanoAspire.Engine", Name = name, Shape = shape, IsMonotonic = true, Points = points };
    }

    [Fact]
    public async Task Commands_answer_what_came_of_them()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        client.DefaultRequestHeaders.Add("Accept", "application/json");
        using var done = await client.PostAsync("/resources/router/commands/restart", null);
        Assert.Equal("""{"succeeded":true,"message":"router: restart done"}""", await done.Content.ReadAsStringAsync());
        using var unknown = await client.PostAsync("/resources/router/commands/explode", null);
        Assert.Equal(HttpStatusCode.Conflict, unknown.StatusCode);
    }

    [Fact]
    public async Task Console_lines_stream_encoded_and_coloured_and_can_be_downloaded()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        dashboard.Resources.Set(new DashboardResource { Name = "e", DisplayName = "e", Type = "Project" });
        dashboard.Resources.Write("e", $"\u001b[31m{Attack}\u001b[0m tail\u001b[2K\u0007", isError: true, number: 1);
        using var client = await dashboard.SignInAsync();
        await using (var stream = await client.GetStreamAsync("/consolelogs/stream?name=e"))
        {
            using var reader = new StreamReader(stream);
            string? line;
            do line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            while (line is not null && !line.StartsWith("data:", StringComparison.Ordinal));
            Assert.Contains("<span class=\"a1\">&lt;script&gt;", line);
            Assert.Contains("ln err", line);
            Assert.EndsWith("</span> tail</span></div>", line);
        }
        dashboard.Resources.Write("e", "\u001b[1mbold\u001b[0m line", number: 2);
        Assert.EndsWith(" tail\nbold line\n", await client.GetStringAsync("/consolelogs/download/e"));
    }

    [Fact]
    public async Task Open_pages_hear_of_changes()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var client = await dashboard.SignInAsync();
        await using var stream = await client.GetStreamAsync("/live");
        using var reader = new StreamReader(stream);
        Assert.Equal(": connected", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        dashboard.Server.Store.Add([Span(1, 1)]);
        string? line;
        do line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line is not null && !line.StartsWith("data:", StringComparison.Ordinal));
        Assert.Equal("data: traces", line);
    }

    [Fact]
    public async Task Assets_may_be_kept_for_ever_and_others_do_not_exist()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var client = await dashboard.SignInAsync();
        using var css = await client.GetAsync("/assets/dashboard.css?v=1");
        Assert.True(css.Headers.CacheControl!.MaxAge > TimeSpan.FromDays(300));
        Assert.Equal("text/css", css.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/assets/appsettings.json")).StatusCode);
    }
}
