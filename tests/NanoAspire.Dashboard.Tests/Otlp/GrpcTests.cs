using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Otlp;

/// <summary>The refusals of the gRPC receiver; that a real exporter is understood stands in <see cref="RealExporterTests"/>.</summary>
public sealed class GrpcTests
{
    [Theory]
    [InlineData("otlp-key", new byte[] { 0, 0, 0, 0, 0 }, "0")]                       // an empty message
    [InlineData("wrong", new byte[] { 0, 0, 0, 0, 0 }, "16")]
    [InlineData("otlp-key", new byte[] { }, "3")]
    [InlineData("otlp-key", new byte[] { 0, 0, 0, 0, 9, 1 }, "3")]                    // a length that lies
    [InlineData("otlp-key", new byte[] { 0, 0, 0, 0, 2, 0x0a, 0x7f }, "3")]           // a message that is cut off
    [InlineData("otlp-key", new byte[] { 1, 0, 0, 0, 0 }, "12")]                      // packed, nobody knows how
    public async Task The_outcome_stands_in_the_trailers(string key, byte[] body, string status)
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => options.OtlpGrpcPort = 0);
        using var response = await CallAsync(dashboard, key, body);
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(status, response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Too_large_a_message_is_refused()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false, options => (options.OtlpGrpcPort, options.MaxRequestBytes) = (0, 50_000));
        var body = new byte[60_000];
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(1), (uint)body.Length - 5);
        using var response = await CallAsync(dashboard, "otlp-key", body);
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("8", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task There_is_no_such_port_unless_asked_for()
    {
        await using var dashboard = await DemoDashboard.StartAsync(filled: false);
        Assert.Null(dashboard.Server.OtlpGrpcUrl);
    }

    private static async Task<HttpResponseMessage> CallAsync(DemoDashboard dashboard, string key, byte[] body)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{dashboard.Server.OtlpGrpcUrl}/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body), Headers = { { "x-otlp-api-key", key }, { "TE", "trailers" } },
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        return await client.SendAsync(request);
    }
}
