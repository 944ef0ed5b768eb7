using System.Buffers.Binary;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>
/// OTLP over gRPC without a gRPC library: the three Export calls are unary, so a body is one framed message
/// (compressed flag, big-endian length, message) and the outcome stands in the trailers.
/// </summary>
internal sealed class OtlpGrpcEndpoints(OtlpIntake intake)
{
    public const string PathPrefix = "/opentelemetry.proto.collector.";
    private const int FrameHead = 5;

    /// <summary>Status codes of gRPC.</summary>
    private enum Status { Ok = 0, InvalidArgument = 3, ResourceExhausted = 8, Unimplemented = 12, Unauthenticated = 16 }

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost(PathPrefix + "trace.v1.TraceService/Export", context => ReceiveAsync(context, intake.Traces));
        app.MapPost(PathPrefix + "logs.v1.LogsService/Export", context => ReceiveAsync(context, intake.Logs));
        app.MapPost(PathPrefix + "metrics.v1.MetricsService/Export", context => ReceiveAsync(context, intake.Metrics));
    }

    private async Task ReceiveAsync(HttpContext context, OtlpIntake.Signal signal)
    {
        if (!(context.Request.ContentType ?? "").StartsWith("application/grpc", StringComparison.Ordinal) || !context.Response.SupportsTrailers())
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }
        context.Response.ContentType = "application/grpc";
        try
        {
            if (!intake.MaySend(context.Request)) { End(context, Status.Unauthenticated, "missing or wrong key"); return; }
            var body = await intake.ReadAsync(context.Request.Body, gzip: false, context.RequestAborted);
            if (body is null) { End(context, Status.ResourceExhausted, "the request is too large"); return; }
            if (body.Length < FrameHead || BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(1)) != body.Length - FrameHead) { End(context, Status.InvalidArgument, "not one framed message"); return; }

            var message = body[FrameHead..];
            if (body[0] == 1)
            {
                if (context.Request.Headers["grpc-encoding"] != "gzip") { End(context, Status.Unimplemented, "unknown encoding"); return; }
                using var packed = new MemoryStream(message);
                if (await intake.ReadAsync(packed, gzip: true, context.RequestAborted) is not { } unpacked) { End(context, Status.ResourceExhausted, "the request is too large"); return; }
                message = unpacked;
            }
            var answer = OtlpIntake.Answer(signal(message, isJson: false));
            var frame = new byte[FrameHead + answer.Length];
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)answer.Length);
            answer.CopyTo(frame, FrameHead);
            await context.Response.Body.WriteAsync(frame, context.RequestAborted);
            End(context, Status.Ok, null);
        }
        catch (BadHttpRequestException)
        {
            End(context, Status.ResourceExhausted, "the request is too large");
        }
        catch (Exception failure) when (failure is OtlpFormatException or InvalidDataException)
        {
            End(context, Status.InvalidArgument, failure.Message);
        }
    }

    private static void End(HttpContext context, Status status, string? message)
    {
        context.Response.AppendTrailer("grpc-status", ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (message is not null) context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(message));
    }
}
