using NanoAspire.Dashboard.Metrics;
using NanoAspire.Dashboard.Otlp;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Tests.Otlp;

public sealed class ProtoTests
{
    private static readonly byte[] TraceId = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[] SpanId = [.. Enumerable.Range(0x21, 8).Select(i => (byte)i)];

    [Fact]
    public void Every_field_of_a_span_is_read()
    {
        var span = Assert.Single(Read(SpanRequest(span => span
            .Bytes(1, TraceId).Bytes(2, SpanId).Text(3, "vendor=1").Bytes(4, [9, 9, 9, 9, 9, 9, 9, 9]).Text(5, "kv.pull").Varint(6, 3)
            .Fixed64(7, 1_000).Fixed64(8, 5_000)
            .Attribute(9, "kv.source", "prefill")
            .Message(9, pair => pair.Text(1, "kv.bytes").Message(2, v => v.Varint(3, 524288)))
            .Message(9, pair => pair.Text(1, "negative").Message(2, v => v.Varint(3, unchecked((ulong)-7))))
            .Message(9, pair => pair.Text(1, "share").Message(2, v => v.Double(4, 0.25)))
            .Message(9, pair => pair.Text(1, "warm").Message(2, v => v.Varint(2, 1)))
            .Message(9, pair => pair.Text(1, "list").Message(2, v => v.Message(5, list => list.Message(1, item => item.Text(1, "a")).Message(1, item => item.Varint(3, 2)))))
            .Message(9, pair => pair.Text(1, "map").Message(2, v => v.Message(6, map => map.Attribute(1, "k", "v"))))
            .Message(9, pair => pair.Text(1, "raw").Message(2, v => v.Bytes(7, [1, 2])))
            .Message(11, e => e.Fixed64(1, 2_000).Text(2, "exception").Attribute(3, "exception.type", "Boom"))
            .Message(13, link => link.Bytes(1, TraceId).Bytes(2, SpanId).Attribute(4, "why", "cause"))
            .Message(15, status => status.Text(2, "lease expired").Varint(3, 2))
            .Fixed32(16, 0x101))).Items);

        Assert.Equal("0102030405060708090a0b0c0d0e0f10", span.TraceId);
        Assert.Equal("2122232425262728", span.SpanId);
        Assert.Equal("0909090909090909", span.ParentId);
        Assert.Equal("vendor=1", span.TraceState);
        Assert.Equal(("kv.pull", SpanKind.Client, 1_000ul, 5_000ul), (span.Name, span.Kind, span.Start, span.End));
        Assert.Equal(TimeSpan.FromMicroseconds(4), span.Duration);
        Assert.Equal("prefill", span.Attributes.Text("kv.source"));
        Assert.Equal(524288, span.Attributes.Number("kv.bytes"));
        Assert.Equal(-7, span.Attributes.Number("negative"));
        Assert.Equal("0.25", span.Attributes.Text("share"));
        Assert.Equal("true", span.Attributes.Text("warm"));
        Assert.Equal("[\"a\", 2]", span.Attributes.Text("list"));
        Assert.Equal("{\"k\": \"v\"}", span.Attributes.Text("map"));
        Assert.Equal("AQI=", span.Attributes.Text("raw"));
        var one = Assert.Single(span.Events);
        Assert.Equal((2_000ul, "exception", "Boom"), (one.Time, one.Name, one.Attributes.Text("exception.type")));
        Assert.Equal("2122232425262728", Assert.Single(span.Links).SpanId);
        Assert.Equal((SpanStatus.Error, "lease expired"), (span.Status, span.StatusMessage));
        Assert.Equal("decode", span.Resource.Name);
        Assert.Equal("NanoAspire.Engine", span.Scope);
    }

    [Fact]
    public void A_resource_that_follows_its_spans_still_names_them()
    {
        var request = new ProtoWriter().Message(1, resource => resource
            .Message(2, scope => scope.Message(2, span => span.Bytes(1, TraceId).Bytes(2, SpanId)).Message(1, s => s.Text(1, "late scope")))
            .Message(1, r => r.Attribute(1, "service.name", "late"))).ToArray();
        var span = Assert.Single(Read(request).Items);
        Assert.Equal(("late", "late scope"), (span.Resource.Name, span.Scope));
    }

    [Fact]
    public void Spans_without_usable_ids_are_counted_and_left_out()
    {
        var request = new ProtoWriter().Message(1, resource => resource.Message(2, scope => scope
            .Message(2, span => span.Text(5, "no ids"))
            .Message(2, span => span.Bytes(1, new byte[16]).Bytes(2, SpanId))
            .Message(2, span => span.Bytes(1, [1, 2]).Bytes(2, SpanId))
            .Message(2, span => span.Bytes(1, TraceId).Bytes(2, SpanId)))).ToArray();
        var batch = Read(request);
        Assert.Equal((1, 3), (batch.Items.Count, batch.Rejected));
        Assert.Equal("unknown_service", batch.Items[0].Resource.Name);
    }

    [Fact]
    public void Unknown_fields_of_every_wire_type_are_skipped()
    {
        var span = Assert.Single(Read(SpanRequest(span => span.Varint(900, ulong.MaxValue).Bytes(1, TraceId).Fixed64(901, 1).Bytes(2, SpanId).Fixed32(902, 1).Text(903, "new"))).Items);
        Assert.Equal("2122232425262728", span.SpanId);
    }

    [Fact]
    public void What_exceeds_the_limits_is_cut_and_the_span_kept()
    {
        var span = Assert.Single(Read(SpanRequest(span =>
        {
            span.Bytes(1, TraceId).Bytes(2, SpanId);
            for (var i = 0; i < 200; i++) span.Attribute(9, $"k{i}", new string('ß', 20_000)).Message(11, e => e.Text(2, "e")).Message(13, l => l.Bytes(1, TraceId).Bytes(2, SpanId));
        })).Items);
        Assert.Equal((128, 128, 128), (span.Attributes.Length, span.Events.Length, span.Links.Length));
        Assert.Equal(8192, span.Attributes[0].Value.ToString().Length);
    }

    [Theory]
    [InlineData(new byte[] { 0x0a, 0x05, 0x01 })]                                     // longer than the message
    [InlineData(new byte[] { 0x0a })]                                                 // no length
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 })]   // endless number
    [InlineData(new byte[] { 0x0b, 0x00 })]                                           // group: not in proto3
    [InlineData(new byte[] { 0x00, 0x00 })]                                           // field 0
    [InlineData(new byte[] { 0x08, 0x01 })]                                           // resource_spans as a number
    [InlineData(new byte[] { 0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01 })]             // four gigabytes
    public void Malformed_bytes_are_an_error(byte[] bytes) => Assert.Throws<OtlpFormatException>(() => Read(bytes));

    [Fact]
    public void Every_cut_of_a_valid_request_is_read_or_refused_but_never_crashes()
    {
        var request = SpanRequest(span => span.Bytes(1, TraceId).Bytes(2, SpanId).Text(5, "name").Fixed64(7, 1).Attribute(9, "a", "b").Message(15, s => s.Varint(3, 1)));
        for (var length = 0; length < request.Length; length++)
        {
            try { Read(request[..length]); }
            catch (OtlpFormatException) { /* refused */ }
        }
    }

    [Fact]
    public void Values_nested_without_end_are_refused()
    {
        static void Nest(ProtoWriter value, int depth) => value.Message(5, list => list.Message(1, item => { if (depth > 0) Nest(item, depth - 1); }));
        Assert.Throws<OtlpFormatException>(() => Read(SpanRequest(span => span.Bytes(1, TraceId).Bytes(2, SpanId).Message(9, pair => pair.Text(1, "deep").Message(2, v => Nest(v, 50))))));
    }

    [Fact]
    public void A_log_record_is_read_and_falls_back_to_its_observed_time()
    {
        var request = new ProtoWriter().Message(1, resource => resource
            .Message(1, r => r.Attribute(1, "service.name", "router"))
            .Message(2, scope => scope.Message(1, s => s.Text(1, "Router.Proxy"))
                .Message(2, log => log.Fixed64(1, 42).Varint(2, 13).Message(5, body => body.Text(1, "retried")).Attribute(6, "engine", "e1").Bytes(9, TraceId).Bytes(10, SpanId).Fixed64(11, 43))
                .Message(2, log => log.Fixed64(11, 77).Varint(2, 21)))).ToArray();
        var records = ProtoLogs.Read(request, TelemetryResource.From).Items;
        Assert.Equal((42ul, LogSeverity.Warning, "retried", "Router.Proxy", "router"), (records[0].Time, records[0].Severity, records[0].Message, records[0].Scope, records[0].Resource.Name));
        Assert.Equal("0102030405060708090a0b0c0d0e0f10", records[0].TraceId);
        Assert.Equal((77ul, LogSeverity.Critical, (string?)null), (records[1].Time, records[1].Severity, records[1].TraceId));
    }

    [Fact]
    public void Sums_gauges_and_histograms_are_read()
    {
        var request = new ProtoWriter().Message(1, resource => resource.Message(2, scope => scope.Message(1, s => s.Text(1, "NanoAspire.Engine"))
            .Message(2, m => m.Text(1, "tokens").Text(2, "all of them").Text(3, "{token}").Message(7, sum => sum.Varint(2, 1).Varint(3, 1).Message(1, p => p.Fixed64(3, 9).Fixed64(6, unchecked((ulong)-3)).Attribute(7, "kind", "prompt"))))
            .Message(2, m => m.Text(1, "usage").Message(5, gauge => gauge.Message(1, p => p.Fixed64(3, 9).Double(4, 0.5))))
            .Message(2, m => m.Text(1, "ttft").Message(9, h => h.Varint(2, 2).Message(1, p => p.Fixed64(3, 9).Fixed64(4, 3).Double(5, 1.5)
                .Bytes(6, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]).Double(7, 0.1).Attribute(9, "model", "m"))))
            .Message(2, m => m.Text(1, "exponential").Message(10, e => e.Varint(2, 2))))).ToArray();
        var batch = ProtoMetrics.Read(request, TelemetryResource.From);
        Assert.Equal(1, batch.Rejected);
        var (sum, gauge, histogram) = (batch.Items[0], batch.Items[1], batch.Items[2]);
        Assert.Equal((MetricShape.Sum, true, true, -3d, "prompt"), (sum.Shape, sum.IsDelta, sum.IsMonotonic, sum.Points[0].Value, sum.Points[0].Attributes.Text("kind")));
        Assert.Equal((MetricShape.Gauge, 0.5), (gauge.Shape, gauge.Points[0].Value));
        Assert.False(histogram.IsDelta);
        Assert.Equal([1L, 2L], histogram.Points[0].Buckets!);
        Assert.Equal([0.1], histogram.Points[0].Bounds!);
        Assert.Equal((3L, 1.5), (histogram.Points[0].Count, histogram.Points[0].Value));
    }

    [Fact]
    public void A_histogram_whose_buckets_do_not_fit_its_bounds_is_refused()
    {
        var request = new ProtoWriter().Message(1, resource => resource.Message(2, scope => scope
            .Message(2, m => m.Text(1, "h").Message(9, h => h.Message(1, p => p.Fixed64(6, 1).Fixed64(6, 1).Fixed64(6, 1).Double(7, 1)))))).ToArray();
        Assert.Throws<OtlpFormatException>(() => ProtoMetrics.Read(request, TelemetryResource.From));
    }

    internal static byte[] SpanRequest(Action<ProtoWriter> span) => new ProtoWriter().Message(1, resource => resource
        .Message(1, r => r.Attribute(1, "service.name", "decode").Attribute(1, "service.instance.id", "abc"))
        .Message(2, scope => scope.Message(1, s => s.Text(1, "NanoAspire.Engine")).Message(2, span))).ToArray();

    private static OtlpBatch<Span> Read(byte[] request) => ProtoTraces.Read(request, TelemetryResource.From);
}
