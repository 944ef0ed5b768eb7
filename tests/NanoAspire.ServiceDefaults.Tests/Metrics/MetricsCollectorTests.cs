using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NanoAspire.ServiceDefaults.Metrics;
using NanoAspire.ServiceDefaults.Tests.Telemetry;

namespace NanoAspire.ServiceDefaults.Tests.Metrics;

public sealed class MetricsCollectorTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Meter _meter;
    private readonly MetricsCollector _collector;

    public MetricsCollectorTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _meter = meters.Create("NanoAspire.Test");
        var options = new MetricsOptions { MaxSeriesPerMetric = 3 };
        options.Meters.Clear();
        options.Meters.Add("NanoAspire.Te*");
        _collector = new MetricsCollector(meters, Options.Create(options), NullLogger<MetricsCollector>.Instance);
        _collector.Start();
    }

    public void Dispose()
    {
        _collector.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Counter_sums_and_ends_in_total()
    {
        var counter = _meter.CreateCounter<long>("router.requests", "{request}", "Requests.\nAll of \\ them");
        counter.Add(2, new KeyValuePair<string, object?>("code", 200));
        counter.Add(3, new KeyValuePair<string, object?>("code", 200));
        counter.Add(1, new KeyValuePair<string, object?>("code", 503));

        var document = Scrape(out var text);

        Assert.Contains("# HELP router_requests_total Requests.\\nAll of \\\\ them\n", text);
        Assert.Equal("counter", document.Types["router_requests_total"]);
        Assert.Equal(5, document.Samples["router_requests_total{code=\"200\"}"]);
        Assert.Equal(1, document.Samples["router_requests_total{code=\"503\"}"]);
    }

    [Fact]
    public void Up_down_counter_is_a_gauge_that_can_fall()
    {
        var running = _meter.CreateUpDownCounter<int>("engine.running");
        running.Add(3);
        running.Add(-1);
        var document = Scrape(out _);
        Assert.Equal("gauge", document.Types["engine_running"]);
        Assert.Equal(2, document.Samples["engine_running"]);
    }

    [Fact]
    public void Gauge_keeps_the_last_value()
    {
        var gauge = _meter.CreateGauge<double>("kv.usage", "1");
        gauge.Record(0.25);
        gauge.Record(0.5);
        Assert.Equal(0.5, Scrape(out _).Samples["kv_usage_ratio"]);
    }

    [Fact]
    public void Histogram_uses_advised_buckets_cumulatively_and_bounds_are_inclusive()
    {
        var histogram = _meter.CreateHistogram("ttft", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (var value in (double[])[0.05, 0.1, 0.5, 2, double.NaN]) histogram.Record(value, new KeyValuePair<string, object?>("model", "m"));

        var document = Scrape(out _);

        Assert.Equal("histogram", document.Types["ttft_seconds"]);
        Assert.Equal(2, document.Samples["ttft_seconds_bucket{le=\"0.1\",model=\"m\"}"]);
        Assert.Equal(3, document.Samples["ttft_seconds_bucket{le=\"1\",model=\"m\"}"]);
        Assert.Equal(4, document.Samples["ttft_seconds_bucket{le=\"+Inf\",model=\"m\"}"]);
        Assert.Equal(4, document.Samples["ttft_seconds_count{model=\"m\"}"]);
        Assert.Equal(2.65, document.Samples["ttft_seconds_sum{model=\"m\"}"], 1e-9);
    }

    [Fact]
    public void Whole_number_histogram_takes_its_own_advice()
    {
        var histogram = _meter.CreateHistogram("tokens", "{token}", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 4, 16] });
        histogram.Record(4);
        var document = Scrape(out _);
        Assert.Equal(0, document.Samples["tokens_bucket{le=\"1\"}"]);
        Assert.Equal(1, document.Samples["tokens_bucket{le=\"4\"}"]);
        Assert.Equal(4, document.Samples.Keys.Count(key => key.StartsWith("tokens_bucket", StringComparison.Ordinal)));
    }

    [Fact]
    public void Observed_values_are_read_at_the_scrape_and_vanish_when_no_longer_observed()
    {
        Measurement<long>[] now = [new(7, new KeyValuePair<string, object?>("state", "free")), new(9, new KeyValuePair<string, object?>("state", "used"))];
        _meter.CreateObservableGauge("kv_blocks", () => now);
        Assert.Equal(9, Scrape(out _).Samples["kv_blocks{state=\"used\"}"]);
        now = [new(8, new KeyValuePair<string, object?>("state", "free"))];
        var later = Scrape(out _).Samples;
        Assert.Equal(8, later["kv_blocks{state=\"free\"}"]);
        Assert.DoesNotContain("kv_blocks{state=\"used\"}", later.Keys);
    }

    [Fact]
    public void Observable_counters_report_the_total_and_not_its_repetition()
    {
        _meter.CreateObservableCounter("bytes.sent", () => 40L, "By");
        _ = Scrape(out _);
        Assert.Equal(40, Scrape(out _).Samples["bytes_sent_bytes_total"]);
    }

    [Fact]
    public void Label_values_survive_escaping()
    {
        var counter = _meter.CreateCounter<long>("hostile");
        counter.Add(1, new KeyValuePair<string, object?>("pa.th", "a\"b\\c\nd}"), new KeyValuePair<string, object?>("ok", true));
        Assert.Equal(1, Scrape(out _).Samples["hostile_total{ok=\"true\",pa_th=\"a\"b\\c\nd}\"}"]);
    }

    [Fact]
    public void Tags_in_another_order_are_the_same_series()
    {
        var counter = _meter.CreateCounter<long>("ordered");
        KeyValuePair<string, object?> a = new("a", 1), b = new("b", 2);
        counter.Add(1, a, b);
        counter.Add(1, b, a);
        Assert.Equal(2, Scrape(out _).Samples["ordered_total{a=\"1\",b=\"2\"}"]);
    }

    [Fact]
    public void Label_sets_beyond_the_bound_share_one_series()
    {
        var counter = _meter.CreateCounter<long>("wild");
        for (var i = 0; i < 10; i++) counter.Add(1, new KeyValuePair<string, object?>("id", i));
        var wild = Scrape(out _).Samples.Where(sample => sample.Key.StartsWith("wild", StringComparison.Ordinal)).ToDictionary();
        Assert.Equal(4, wild.Count);
        Assert.Equal(7, wild["wild_total{otel_metric_overflow=\"true\"}"]);
    }

    [Fact]
    public void A_failing_callback_takes_only_its_own_metric_away()
    {
        _meter.CreateObservableGauge("broken", long () => throw new InvalidOperationException());
        _meter.CreateObservableGauge("intact", () => 1L);
        var samples = Scrape(out _).Samples;
        Assert.Equal(1, samples["intact"]);
        Assert.DoesNotContain("broken", samples.Keys);
    }

    [Fact]
    public void A_name_taken_by_another_kind_is_not_mixed_in()
    {
        _meter.CreateCounter<long>("twice_total").Add(1);
        _meter.CreateGauge<long>("twice_total").Record(5);
        Assert.Equal(1, Scrape(out _).Samples["twice_total"]);
    }

    [Fact]
    public void Meters_not_asked_for_are_not_collected()
    {
        using var other = new Meter("Somebody.Else");
        other.CreateCounter<long>("foreign").Add(1);
        _meter.CreateCounter<long>("own").Add(1);
        Assert.DoesNotContain("foreign_total", Scrape(out _).Samples.Keys);
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", "Histogram", "http_server_request_duration_seconds")]
    [InlineData("gen_ai.client.token.usage", "{token}", "Histogram", "gen_ai_client_token_usage")]
    [InlineData("migration_bytes_total", "By", "Counter", "migration_bytes_total")]
    [InlineData("link.speed", "By/s", "Gauge", "link_speed_bytes_per_second")]
    [InlineData("2xx..responses", null, "Counter", "_2xx_responses_total")]
    [InlineData("step_seconds", "s", "Histogram", "step_seconds")]
    [InlineData("hits", "1", "Counter", "hits_total")]
    internal void Names_follow_the_Prometheus_conventions(string instrument, string? unit, string kind, string expected) =>
        Assert.Equal(expected, MetricName.For(instrument, unit, Enum.Parse<MetricKind>(kind)));

    [Fact]
    public async Task A_running_service_reports_its_requests_and_its_runtime()
    {
        await using var service = await SampleService.StartAsync([]);
        using var client = new HttpClient();
        using var missing = await client.GetAsync($"{service.Url}/nowhere");
        using var response = await client.GetAsync($"{service.Url}/metrics");

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var document = PrometheusDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("gauge", document.Types["dotnet_process_memory_working_set_bytes"]);
        Assert.Equal("counter", document.Types["dotnet_gc_collections_total"]);
        var requests = document.Samples.Where(s => s.Key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)).ToList();
        Assert.Equal(1, Assert.Single(requests).Value);                               // the scrape itself is not measured
        Assert.Contains("http_response_status_code=\"404\"", requests[0].Key);
    }

    private PrometheusDocument Scrape(out string text) => PrometheusDocument.Parse(text = _collector.Scrape());
}
