using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>One prompt computed by one prefill engine.</summary>
internal sealed class PrefillStage(EngineClient client, RouterOptions options, TimeProvider time)
{
    /// <summary>A ticket has about 30 bytes a KV block: this is enough for millions of tokens.</summary>
    private const int MaxReplyBytes = 16 << 20;

    /// <exception cref="OperationCanceledException">The client left or the request's own time is up.</exception>
    public async Task<PrefillReply> RunAsync(HttpContext http, Node node, InferenceRequest request, CancellationToken ct)
    {
        using var span = StageSpan.Start("prefill", node, request);
        var started = time.GetTimestamp();
        var reply = await CallAsync(http, node, request, ct);
        Telemetry.Prefill.Record(time.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("model", request.Model));
        if (reply is PrefillReply.Failed failed) span?.SetStatus(ActivityStatusCode.Error, failed.Result.Reason);
        return reply;
    }

    private async Task<PrefillReply> CallAsync(HttpContext http, Node node, InferenceRequest request, CancellationToken ct)
    {
        using var deadline = new Deadline(options.Deadlines.Prefill, time, ct);
        var connected = false;
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, node.Url + request.Path) { Content = new ReadOnlyMemoryContent(request.PrefillBody) };
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            EngineHeaders.Copy(http.Request, message, request.RequestId, options.ForwardAuthorization);
            using var response = await client.SendAsync(message, deadline.Token);
            connected = true;
            if (await EngineClient.ReadAsync(response.Content, MaxReplyBytes, deadline.Token) is not { } body)
                return Fail(LegStatus.Died, "the prefill reply is too long");
            return response.StatusCode switch
            {
                HttpStatusCode.OK => Read(body),
                >= (HttpStatusCode)400 when request.Images is not null && EngineErrorBody.Parse(body) is { BlamesSlots: true } error => Fail(LegStatus.SlotsLost, error.Message ?? "the slots are lost"),
                >= (HttpStatusCode)500 or HttpStatusCode.RequestTimeout => Fail(
                    LegStatus.Failed, EngineErrorBody.Parse(body).Message ?? $"status {(int)response.StatusCode}", busy: response.StatusCode is HttpStatusCode.ServiceUnavailable),
                >= (HttpStatusCode)400 => new PrefillReply.Refused(EngineRefusal.Of(response, body)),
                var status => Fail(LegStatus.Failed, $"status {(int)status}"),
            };
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            return Fail(LegStatus.TimedOut, "no prefill reply in time");
        }
        catch (OperationCanceledException)
        {
            return Fail(LegStatus.Unreachable, "cannot connect in time");
        }
        catch (HttpRequestException e)
        {
            var unreachable = !connected && e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError;
            return Fail(unreachable ? LegStatus.Unreachable : LegStatus.Died, e.Message);
        }
        catch (IOException e)
        {
            return Fail(LegStatus.Died, e.Message);
        }
    }

    private static PrefillReply Read(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            string? migration = null;
            ImmutableArray<long> sequences = [];
            if (root.TryGetProperty("kv_transfer_params", out var kv) && kv.ValueKind is JsonValueKind.Object)
            {
                if (kv.TryGetProperty("migration", out var ticket) && ticket.ValueKind is not JsonValueKind.Null) migration = ticket.GetRawText();
                sequences = Sequences(kv);
            }
            if (migration is not null) return new PrefillReply.Parked(migration) { Sequences = sequences };
            if (root.TryGetProperty("choices", out var choices) && choices.ValueKind is JsonValueKind.Array && choices.GetArrayLength() > 0)
                return new PrefillReply.Finished(body) { Sequences = sequences };
            return Fail(LegStatus.Died, "the prefill reply has neither a hand-off nor an answer") with { Sequences = sequences };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Fail(LegStatus.Died, $"the prefill reply is not what it should be: {e.Message}");
        }
    }

    private static ImmutableArray<long> Sequences(JsonElement kv)
    {
        if (kv.TryGetProperty("seq_ids", out var list) && list.ValueKind is JsonValueKind.Array)
        {
            ImmutableArray<long> all = [.. list.EnumerateArray().Where(id => id.ValueKind is JsonValueKind.Number && id.TryGetInt64(out _)).Select(id => id.GetInt64())];
            if (all.Length > 0) return all;
        }
        return kv.TryGetProperty("seq_id", out var one) && one.ValueKind is JsonValueKind.Number && one.TryGetInt64(out var only) ? [only] : [];
    }

    private static PrefillReply.Failed Fail(LegStatus status, string reason, bool busy = false) => new(new LegResult(status, reason, busy));
}
