using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>The OTLP/HTTP receiver: protobuf and JSON, plain or gzip.</summary>
internal sealed class OtlpEndpoints(OtlpIntake intake)
{
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/traces", context => ReceiveAsync(context, intake.Traces));
        app.MapPost("/v1/logs", context => ReceiveAsync(context, intake.Logs));
        app.MapPost("/v1/metrics", context => ReceiveAsync(context, intake.Metrics));
    }

    private async Task ReceiveAsync(HttpContext context, OtlpIntake.Signal signal)
    {
        var response = context.Response;
        if (!intake.MaySend(context.Request)) { response.StatusCode = StatusCodes.Status401Unauthorized; return; }
        var contentType = context.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (contentType is not (Protobuf or Json) || encoding is not ("" or "identity" or "gzip"))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }
        try
        {
            var body = await intake.ReadAsync(context.Request.Body, encoding == "gzip", context.RequestAborted);
            if (body is null) { response.StatusCode = StatusCodes.Status413PayloadTooLarge; return; }
            var rejected = signal(body, contentType == Json);
            response.ContentType = contentType;
            await response.Body.WriteAsync(contentType == Json ? JsonAnswer(rejected) : OtlpIntake.Answer(rejected), context.RequestAborted);
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

    private static byte[] JsonAnswer(int rejected) =>
        rejected == 0 ? "{}"u8.ToArray() : System.Text.Encoding.UTF8.GetBytes($$$"""{"partialSuccess":{"rejected":"{{{rejected}}}"}}""");
}
