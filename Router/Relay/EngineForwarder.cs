using System.Net;
using System.Runtime.InteropServices;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using Yarp.ReverseProxy.Forwarder;

namespace NanoAspire.Router.Relay;

/// <summary>
/// Sends a client's request on to an engine and the answer back, over YARP's forwarder. The forwarder builds the request, follows the
/// client's cancellation and copies headers; the answer's body goes through <see cref="AnswerRelay"/>, because a failure before the
/// first byte must leave the response untouched for the next attempt, and one after it must end the stream with an error event.
/// </summary>
internal sealed class EngineForwarder(IHttpForwarder forwarder, EngineClient client, RouterOptions options, TimeProvider time)
{
    /// <summary>YARP's idle limit is off: <see cref="AnswerRelay"/> has a deadline for each stage.</summary>
    private static readonly ForwarderRequestConfig Config = new()
    {
        ActivityTimeout = Timeout.InfiniteTimeSpan,
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };

    /// <exception cref="OperationCanceledException">The client left or the caller's token was cancelled.</exception>
    public async Task<LegResult> ForwardAsync(HttpContext http, Node node, AnswerLeg leg, CancellationToken ct)
    {
        if (leg.Request.KeepAlive is { } waiting) await waiting.EndAsync();
        using var deadline = new Deadline(leg.FirstByte, time, ct);
        var relay = new AnswerRelay(leg, options.Deadlines, deadline, time);
        if (http.Response.HasStarted) return await GoOnAsync(http, node, leg, relay, deadline, ct);
        var transformer = new Transformer(relay, leg, options.ForwardAuthorization);
        using var body = MemoryMarshal.TryGetArray(leg.Body, out var bytes)
            ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false)
            : new MemoryStream(leg.Body.ToArray(), writable: false);
        http.Response.StatusCode = StatusCodes.Status200OK;   // an earlier attempt left its failure there, and YARP takes that for an answer
        http.Request.Body = body;
        http.Request.ContentLength = leg.Body.Length;

        var error = await forwarder.SendAsync(http, node.Url, client.Invoker, Config, transformer, deadline.Token);
        relay.Failure?.Throw();
        if (relay.Result is { } result) return result;
        ct.ThrowIfCancellationRequested();
        // Nothing came back. YARP has set a status for that; the next attempt, or our own error, sets another.
        var cause = http.GetForwarderErrorFeature()?.Exception;
        if (deadline.Passed) return new LegResult(LegStatus.TimedOut, "no answer in time");
        return cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
                or OperationCanceledException   // the connect timeout
            ? new LegResult(LegStatus.Unreachable, "cannot connect")
            : new LegResult(LegStatus.Died, cause?.Message ?? error.ToString());
    }

    /// <summary>YARP takes a response that has begun for somebody else's: the rest of one comes straight from the client.</summary>
    private async Task<LegResult> GoOnAsync(HttpContext http, Node node, AnswerLeg leg, AnswerRelay relay, Deadline deadline, CancellationToken ct)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, node.Url + leg.Request.Path) { Content = new ReadOnlyMemoryContent(leg.Body) };
            message.Content.Headers.ContentType = new("application/json");
            EngineHeaders.Copy(http.Request, message, leg.Request.RequestId, options.ForwardAuthorization);
            using var response = await client.SendAsync(message, deadline.Token);
            await relay.RunAsync(http, response, static () => ValueTask.FromResult(false));
            relay.Failure?.Throw();
            return relay.Result ?? new LegResult(LegStatus.Died, "no answer");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return deadline.Passed ? new LegResult(LegStatus.TimedOut, "no answer in time") : new LegResult(LegStatus.Unreachable, "cannot connect in time");
        }
        catch (HttpRequestException e)
        {
            return new LegResult(e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError ? LegStatus.Unreachable : LegStatus.Died, e.Message);
        }
    }

    private sealed class Transformer(AnswerRelay relay, AnswerLeg leg, bool authorization) : HttpTransformer
    {
        public override ValueTask TransformRequestAsync(HttpContext http, HttpRequestMessage request, string destinationPrefix, CancellationToken cancellationToken)
        {
            EngineHeaders.Copy(http.Request, request, leg.Request.RequestId, authorization);
            request.Content!.Headers.ContentType = new("application/json");
            request.Content.Headers.ContentLength = leg.Body.Length;
            return default;
        }

        public override async ValueTask<bool> TransformResponseAsync(HttpContext http, HttpResponseMessage? response, CancellationToken cancellationToken)
        {
            if (response is not null) await relay.RunAsync(http, response, () => base.TransformResponseAsync(http, response, cancellationToken));
            return false;
        }
    }
}
