using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>The OTLP/HTTP receiver: protobuf and JSON, plain or gzip.</summary>
internal sealed class OtlpEndpoints(DashboardOptions options, TelemetryStore store)
{
    public const string KeyHeader = "x-otlp-api-key";
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/traces", context => ReceiveAsync(context, body =>
        {
            var batch = body.IsJson ? JsonTraces.Read(body.Bytes, store.Resources.Intern) : ProtoTraces.Read(body.Bytes, store.Resources.Intern);
            store.Add(batch.Items);
            return batch.Rejected;
        }));
        app.MapPost("/v1/logs", context => ReceiveAsync(context, body =>
        {
            var batch = body.IsJson ? JsonLogs.Read(body.Bytes, store.Resources.Intern) : ProtoLogs.Read(body.Bytes, store.Resources.Intern);
            store.Add(batch.Items);
            return batch.Rejected;
        }));
        app.MapPost("/v1/metrics", context => ReceiveAsync(context, body =>
        {
            var batch = body.IsJson ? JsonMetrics.Read(body.Bytes, store.Resources.Intern) : ProtoMetrics.Read(body.Bytes, store.Resources.Intern);
            return batch.Rejected + store.Add(batch.Items);
        }));
    }

    private async Task ReceiveAsync(HttpContext context, Func<Body, int> store)
    {
        var response = context.Response;
        if (!MaySend(context.Request)) { response.StatusCode = StatusCodes.Status401Unauthorized; return; }
        var contentType = context.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (contentType is not (Protobuf or Json) || encoding is not ("" or "identity" or "gzip"))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }
        try
        {
            var bytes = await ReadAsync(context.Request, encoding == "gzip", context.RequestAborted);
            if (bytes is null) { response.StatusCode = StatusCodes.Status413PayloadTooLarge; return; }
            var rejected = store(new Body(bytes, contentType == Json));
            response.ContentType = contentType;
            await response.Body.WriteAsync(contentType == Json ? JsonAnswer(rejected) : ProtobufAnswer(rejected), context.RequestAborted);
        }
        catch (BadHttpRequestException failure)
        {
            response.StatusCode = failure.StatusCode;
        }
        catch (Exception failure) when (failure is OtlpFormatException or InvalidDataException or System.Text.Json.JsonException)
        {
            response.StatusCode = StatusCodes.Status400BadRequest;
            response.ContentType = "text/plain";
            await response.WriteAsync(failure.Message, context.RequestAborted);
        }
    }

    private bool MaySend(HttpRequest request)
    {
        if (options.AllowAnonymous) return true;
        var given = request.Headers[KeyHeader].ToString();
        return Secrets.Equal(given, options.OtlpApiKey!) || (options.OtlpSecondaryApiKey is { } secondary && Secrets.Equal(given, secondary));
    }

    /// <summary>Null when the body, unpacked, is larger than allowed: a small gzip may hold a large nothing.</summary>
    private async Task<byte[]?> ReadAsync(HttpRequest request, bool gzip, CancellationToken cancellationToken)
    {
        await using var unpacked = gzip ? new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true) : null;
        var source = unpacked ?? request.Body;
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + read > options.MaxRequestBytes) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    /// <summary>An empty message, or one with partial_success {1: rejected}.</summary>
    private static byte[] ProtobufAnswer(int rejected)
    {
        if (rejected == 0) return [];
        List<byte> count = [0x08];
        for (var rest = (uint)rejected; ; rest >>= 7)
        {
            if (rest < 0x80) { count.Add((byte)rest); break; }
            count.Add((byte)(rest | 0x80));
        }
        return [0x0a, (byte)count.Count, .. count];
    }

    private static byte[] JsonAnswer(int rejected) =>
        rejected == 0 ? "{}"u8.ToArray() : System.Text.Encoding.UTF8.GetBytes($$$"""{"partialSuccess":{"rejected":"{{{rejected}}}"}}""");

    private readonly record struct Body(byte[] Bytes, bool IsJson);
}
