using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using NanoAspire.Dashboard.Telemetry;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Otlp;

public sealed class ReceiverTests
{
    private static readonly byte[] OneSpan = ProtoTests.SpanRequest(span => span
        .Bytes(1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).Bytes(2, [1, 2, 3, 4, 5, 6, 7, 8]).Text(5, "step").Fixed64(7, 1000).Fixed64(8, 2000));

    private const string JsonSpan = """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"json"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[
        {"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708","name":"step","kind":2,"startTimeUnixNano":"1000","endTimeUnixNano":2000,
         "attributes":[{"key":"n","value":{"intValue":"5"}},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5}]}}}],
         "events":[{"timeUnixNano":"1500","name":"e"}],"links":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718"}],"status":{"code":2,"message":"bad"},"future":{"x":[1]}}]}]}]}
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Protobuf_is_received_plain_and_packed(bool gzip)
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var response = await PostAsync(dashboard, "traces", OneSpan, gzip: gzip);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-protobuf", response.Content.Headers.ContentType!.MediaType);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("step", Assert.Single(dashboard.Server.Store.Traces.AllSpans()).Name);
    }

    [Fact]
    public async Task Json_is_received_with_hex_ids_and_numbers_as_text()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var response = await PostAsync(dashboard, "traces", Encoding.UTF8.GetBytes(JsonSpan), "application/json");
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        var span = Assert.Single(dashboard.Server.Store.Traces.AllSpans());
        Assert.Equal(("0102030405060708090a0b0c0d0e0f10", "json", SpanKind.Server, 1000ul, 2000ul), (span.TraceId, span.Resource.Name, span.Kind, span.Start, span.End));
        Assert.Equal((5L, "[true, 1.5]", "1112131415161718", "bad"), (span.Attributes.Number("n"), span.Attributes.Text("l"), span.Links[0].SpanId, span.StatusMessage));
    }

    [Fact]
    public async Task Json_logs_and_metrics_are_received()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var logs = await PostAsync(dashboard, "logs", """{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"c"},"logRecords":[{"timeUnixNano":"5","severityNumber":17,"body":{"stringValue":"lost"}}]}]}]}"""u8.ToArray(), "application/json");
        using var metrics = await PostAsync(dashboard, "metrics", """
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"m"}}]},"scopeMetrics":[{"scope":{"name":"meter"},"metrics":[
            {"name":"h","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"9","count":"3","sum":1.5,"bucketCounts":["1","2"],"explicitBounds":[0.1]}]}},
            {"name":"c","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"9","asInt":"7"}]}}]}]}]}
            """u8.ToArray(), "application/json");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (logs.StatusCode, metrics.StatusCode));
        Assert.Equal((LogSeverity.Error, "lost"), (dashboard.Server.Store.Logs.All()[0].Severity, dashboard.Server.Store.Logs.All()[0].Message));
        var key = dashboard.Server.Store.Resources.All().Single(r => r.Name == "m").Key;
        Assert.Equal([1L, 2L], dashboard.Server.Store.Metrics.Find(key, "h")!.Series[0].Points[0].Buckets);
        Assert.Equal(7, dashboard.Server.Store.Metrics.Find(key, "c")!.Series[0].Points[0].Value);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("wrong", HttpStatusCode.Unauthorized)]
    [InlineData("otlp-key", HttpStatusCode.OK)]
    [InlineData("next-key", HttpStatusCode.OK)]
    public async Task Senders_need_one_of_the_two_keys(string? key, HttpStatusCode expected)
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.OtlpSecondaryApiKey = "next-key");
        using var response = await PostAsync(dashboard, "traces", OneSpan, key: key);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, dashboard.Server.Store.Traces.AllSpans().Count);
    }

    [Fact]
    public async Task Other_content_types_and_encodings_are_refused()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var text = await PostAsync(dashboard, "traces", OneSpan, "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        using var brotli = await PostAsync(dashboard, "traces", OneSpan, encoding: "br");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, brotli.StatusCode);
    }

    [Theory]
    [InlineData("application/x-protobuf", "not protobuf")]
    [InlineData("application/json", "{ not json")]
    [InlineData("application/json", "[]")]
    [InlineData("application/json", """{"resourceSpans":[1]}""")]
    [InlineData("application/json", """{"resourceSpans":{"a":1}}""")]
    [InlineData("application/json", """{"resourceSpans":[{"scopeSpans":[{"spans":["x"]}]}]}""")]
    [InlineData("application/json", """{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","startTimeUnixNano":"soon"}]}]}]}""")]
    public async Task Malformed_bodies_are_answered_with_400_and_the_server_goes_on(string contentType, string body)
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var malformed = await PostAsync(dashboard, "traces", Encoding.UTF8.GetBytes(body), contentType);
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
        using var sound = await PostAsync(dashboard, "traces", OneSpan);
        Assert.Equal(HttpStatusCode.OK, sound.StatusCode);
    }

    [Fact]
    public async Task A_body_that_claims_to_be_gzip_and_is_not_is_malformed()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var response = await PostAsync(dashboard, "traces", OneSpan, encoding: "gzip");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Too_large_a_body_is_refused_also_when_it_is_small_on_the_wire()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.MaxRequestBytes = 100_000);
        using var plain = await PostAsync(dashboard, "traces", new byte[200_000]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, plain.StatusCode);
        using var packed = await PostAsync(dashboard, "traces", new byte[200_000], gzip: true);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, packed.StatusCode);
    }

    [Fact]
    public async Task What_was_not_taken_is_told_to_the_sender()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var response = await PostAsync(dashboard, "traces", ProtoTests.SpanRequest(span => span.Text(5, "no ids")));
        Assert.Equal([0x0a, 0x02, 0x08, 0x01], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task The_receivers_port_serves_no_pages()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        using var client = new HttpClient();
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"{dashboard.Server.OtlpUrl}/login?t=t0ken")).StatusCode);
    }

    private static async Task<HttpResponseMessage> PostAsync(
        DemoDashboard dashboard, string signal, byte[] body, string contentType = "application/x-protobuf", string? key = "otlp-key", bool gzip = false, string? encoding = null)
    {
        if (gzip)
        {
            using var packed = new MemoryStream();
            await using (var stream = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) stream.Write(body);
            (body, encoding) = (packed.ToArray(), "gzip");
        }
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{dashboard.Server.OtlpUrl}/v1/{signal}") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        if (key is not null) request.Headers.Add("x-otlp-api-key", key);
        return await client.SendAsync(request);
    }
}
