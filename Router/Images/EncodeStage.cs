using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using NanoAspire.Router.Leases;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Stages;

namespace NanoAspire.Router.Images;

/// <summary>One image through one encoder, or the next one when that fails.</summary>
internal sealed class EncodeStage(EngineClient client, KvLeaseTable leases, RouterOptions options, TimeProvider time)
{
    /// <summary>A slot's description has a few hundred bytes.</summary>
    private const int MaxReplyBytes = 1 << 20;
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="http">The client's exchange.</param>
    /// <param name="pool">Whose encoders.</param>
    /// <param name="request">The request that the image is of.</param>
    /// <param name="report">Counts retries.</param>
    /// <param name="image">To encode.</param>
    /// <param name="doubted">Encoders that come last.</param>
    /// <param name="ct">Ends the call.</param>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async Task<EncodeReply> RunAsync(
        HttpContext http, ModelPool pool, InferenceRequest request, RequestReport report, ImageToEncode image, IReadOnlySet<Node> doubted, CancellationToken ct)
    {
        var last = new LegResult(LegStatus.Failed, "no encoder takes its images", Busy: true);
        var tries = 0;
        var open = pool.Encoder.Where(static node => node.TakesWork && node.Breaker.Allows).ToArray();
        foreach (var node in ImageAffinity.Rank(image.Digest, open).OrderBy(doubted.Contains))
        {
            if (tries > options.Retries) break;
            using var visit = node.TryEnter(promptBytes: 0);
            if (visit is null) continue;
            if (tries++ > 0) report.CountRetry("encode", last);
            Telemetry.Decisions.Add(1, new("engine", node.Id), new("role", "encoder"));
            var reply = await CallAsync(http, node, request, image, ct);
            if (reply is not EncodeReply.Failed failed)
            {
                visit.Succeed();
                report.EncodeEngine = node.Id;
                return reply;
            }
            if (!failed.Result.Busy) visit.Fail();
            last = failed.Result;
        }
        return new EncodeReply.Failed(last);
    }

    private async Task<EncodeReply> CallAsync(HttpContext http, Node node, InferenceRequest request, ImageToEncode image, CancellationToken ct)
    {
        using var span = StageSpan.Start("encode", node, request);
        var started = time.GetTimestamp();
        using var deadline = new Deadline(options.Deadlines.Encode, time, ct);
        EncodeReply reply;
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, node.Url + "/vision/encode") { Content = new ReadOnlyMemoryContent(Body(request, image)) };
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            EngineHeaders.Copy(http.Request, message, request.RequestId, options.ForwardAuthorization);
            using var response = await client.SendAsync(message, deadline.Token);
            reply = await EngineClient.ReadAsync(response.Content, MaxReplyBytes, deadline.Token) is not { } body ? Fail(LegStatus.Died, "the encoder's reply is too long")
                : response.StatusCode switch
                {
                    HttpStatusCode.OK => Read(node, body),
                    >= (HttpStatusCode)500 or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests => Fail(
                        LegStatus.Failed, EngineErrorBody.Parse(body).Message ?? $"status {(int)response.StatusCode}",
                        busy: response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests),
                    >= (HttpStatusCode)400 => new EncodeReply.Refused(EngineRefusal.Of(response, body)),
                    var status => Fail(LegStatus.Failed, $"status {(int)status}"),
                };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            reply = deadline.Passed ? Fail(LegStatus.TimedOut, "no encoder's reply in time") : Fail(LegStatus.Unreachable, "cannot connect to the encoder in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var unreachable = e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
            reply = Fail(unreachable ? LegStatus.Unreachable : LegStatus.Died, e.Message);
        }
        Telemetry.Encode.Record(time.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("model", request.Model));
        if (reply is EncodeReply.Failed failed) span?.SetStatus(ActivityStatusCode.Error, failed.Result.Reason);
        return reply;
    }

    /// <summary><c>{"model", "request_id", "timeout_ms", "images": [{"digest", "url"}]}</c>.</summary>
    private ReadOnlyMemory<byte> Body(InferenceRequest request, ImageToEncode image)
    {
        var output = new ArrayBufferWriter<byte>(image.DataUrl.Length + 512);
        using var json = new Utf8JsonWriter(output, Json);
        json.WriteStartObject();
        json.WriteString("model"u8, request.Model);
        json.WriteString("request_id"u8, request.RequestId);
        json.WriteNumber("timeout_ms"u8, (long)options.Deadlines.Encode.TotalMilliseconds);
        json.WriteStartArray("images"u8);
        json.WriteStartObject();
        json.WriteString("digest"u8, image.Digest);
        json.WriteString("url"u8, image.DataUrl.Span);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    /// <summary>One slot with an id to free it by; all else in it is between encoder and engine.</summary>
    private EncodeReply Read(Node node, byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.TryGetProperty(EncodedImages.Member, out var slots) && slots.ValueKind is JsonValueKind.Array && slots.GetArrayLength() == 1
                && slots[0].ValueKind is JsonValueKind.Object && slots[0].TryGetProperty("slot_id", out var id) && id.ValueKind is JsonValueKind.Number && id.TryGetInt64(out var slot))
                return new EncodeReply.Held(slots[0].GetRawText(), leases.Register(node, [slot]));
            return Fail(LegStatus.Died, "the encoder's reply has no slot");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Fail(LegStatus.Died, $"the encoder's reply is not what it should be: {e.Message}");
        }
    }

    private static EncodeReply.Failed Fail(LegStatus status, string reason, bool busy = false) => new(new LegResult(status, reason, busy));
}
