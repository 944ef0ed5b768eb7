using NanoAspire.Dashboard.Telemetry;
using static NanoAspire.Dashboard.Tests.Telemetry.Spans;

namespace NanoAspire.Dashboard.Tests.Telemetry;

public sealed class TextTests
{
    [Theory]
    [InlineData(0, "0μs")]
    [InlineData(7.5, "7.5μs")]
    [InlineData(10, "0.01ms")]
    [InlineData(45_600, "45.6ms")]
    [InlineData(99_999, "100ms")]
    [InlineData(100_000, "0.1s")]
    [InlineData(1_234_000, "1.23s")]
    [InlineData(59_990_000, "59.99s")]
    [InlineData(125_000_000, "2m 5s")]
    [InlineData(120_000_000, "2m")]
    [InlineData(3_660_000_000, "1h 1m")]
    [InlineData(176_400_000_000, "2d 1h")]
    [InlineData(-45_600, "-45.6ms")]
    public void Durations_read_as_people_say_them(double microseconds, string expected) =>
        Assert.Equal(expected, Durations.Text(TimeSpan.FromMicroseconds(microseconds)));

    [Theory]
    [InlineData(0, "B", "0 B")]
    [InlineData(524288, "By", "512 KiB")]
    [InlineData(0.0785, "s", "78.5ms")]
    [InlineData(0.42, "1", "42%")]
    [InlineData(12345, "{token}", "12.3k")]
    [InlineData(3.14159, "{token}/s", "3.14/s")]
    [InlineData(2.5e6, "By/s", "2.38 MiB/s")]
    public void Quantities_carry_their_unit(double value, string unit, string expected) =>
        Assert.Equal(expected, unit == "B" ? Quantities.Bytes(value) : Quantities.InUnit(value, unit));

    [Theory]
    [InlineData("http.response.status_code:gte:500", "503", true)]
    [InlineData("http.response.status_code:gte:500", "60", false)]                    // numbers, not letters
    [InlineData("name:contains:KV", "kv.pull", true)]
    [InlineData("name:!contains:kv", "kv.pull", false)]
    [InlineData("name:!equals:x", null, true)]
    [InlineData("name:equals:x", null, false)]
    [InlineData("url.path:equals:%2Fa%20b%3Ac", "/a b:c", true)]
    [InlineData("name:equals:x:disabled", "y", true)]
    public void A_filter_says_what_it_means(string text, string? actual, bool expected) =>
        Assert.Equal(expected, Assert.Single(FieldFilter.Parse(text)).Matches(actual));

    [Fact]
    public void Filters_survive_the_address_and_nonsense_is_left_out()
    {
        var filters = FieldFilter.Parse("a:equals:1 nonsense b:near:2 c:contains:x%20y:disabled");
        Assert.Equal([new FieldFilter("a", "equals", "1"), new FieldFilter("c", "contains", "x y", Disabled: true)], filters);
        Assert.Equal(filters, FieldFilter.Parse(FieldFilter.Format(filters)));
    }

    [Fact]
    public void The_other_end_of_a_client_span_is_named_when_it_can_be()
    {
        static string? At(string address) => address is "localhost:6379" ? "redis" : null;
        Assert.Equal("redis", SpanText.Peer(Span(1, 1, kind: SpanKind.Client, attributes: [new("server.address", "localhost"), new("server.port", 6379L)]), At));
        Assert.Equal("api.example:443", SpanText.Peer(Span(1, 1, kind: SpanKind.Client, attributes: [new("url.full", "https://api.example/x")]), At));
        Assert.Equal("mq", SpanText.Peer(Span(1, 1, kind: SpanKind.Producer, attributes: [new("peer.service", "mq")]), At));
        Assert.Null(SpanText.Peer(Span(1, 1, kind: SpanKind.Server, attributes: [new("server.address", "localhost")]), At));
    }

    [Theory]
    [InlineData("gen_ai.provider.name", "genai")]
    [InlineData("gen_ai.system", "genai")]
    [InlineData("http.request.method", "http")]
    [InlineData("kv.bytes", "kv")]
    [InlineData("db.system.name", "database")]
    [InlineData("x", "other")]
    public void A_spans_type_comes_from_its_attributes(string key, string expected) =>
        Assert.Equal(expected, SpanText.TypeOf(Span(1, 1, attributes: [new(key, "v")])));
}
