using System.Diagnostics;
using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Admission;
using NanoAspire.Router.Images;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Stages;

namespace NanoAspire.Router.Api;

/// <summary><c>/v1/chat/completions</c> and <c>/v1/completions</c>: from the bytes of a request to its line in the access log.</summary>
internal sealed class InferenceEndpoints(
    NodeTable table, RequestFlow flow, AdmissionGate gate, RateLimiter rates, RouterOptions options, IHostApplicationLifetime lifetime,
    TimeProvider time, ILogger<InferenceEndpoints> logger)
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapPost("/chat/completions", static (HttpContext http, InferenceEndpoints endpoints) => endpoints.HandleAsync(http, InferenceEndpoint.ChatCompletions))
            .WithName("CreateChatCompletion");
        v1.MapPost("/completions", static (HttpContext http, InferenceEndpoints endpoints) => endpoints.HandleAsync(http, InferenceEndpoint.Completions))
            .WithName("CreateCompletion");
    }

    private async Task HandleAsync(HttpContext http, InferenceEndpoint endpoint)
    {
        var report = new RequestReport(http.Response.Headers[RequestIds.Header].ToString(), time.GetTimestamp())
        {
            Endpoint = endpoint is InferenceEndpoint.ChatCompletions ? "chat" : "completions",
        };
        try
        {
            if (await ServeAsync(http, endpoint, report) is { } refusal) await EndAsync(http, report, refusal);
        }
        catch (BadRequestException e)
        {
            await EndAsync(http, report, new ErrorReply(e.Status, OpenAIError.InvalidRequest(e.Message, e.Param, e.Code)));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            report.Outcome = RequestOutcome.Aborted;
            Telemetry.ClientAborts.Add(1, new KeyValuePair<string, object?>("stage", report.Stage));
        }
        catch (OperationCanceledException)
        {
            report.Outcome = RequestOutcome.Failed;
            await EndAsync(http, report, ErrorReply.DeadlineExceeded());
        }
        finally
        {
            Conclude(http, report);
        }
    }

    /// <returns>The error to answer with; null when the client has its answer.</returns>
    private async Task<ErrorReply?> ServeAsync(HttpContext http, InferenceEndpoint endpoint, RequestReport report)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) return Reject(ErrorReply.Stopping());
        if (rates.TryStart(ApiKeys.Of(http)) is { } tooFast) return Reject(tooFast);
        if (!http.Request.HasJsonContentType()) throw new BadRequestException("Content-Type must be application/json", status: 415);
        if (await BodyReader.ReadAsync(http.Request, options.MaxBodyBytes, http.RequestAborted) is not { } body)
        {
            http.Response.Headers.Connection = "close";
            await EndAsync(http, report, ErrorReply.TooLarge(options.MaxBodyBytes));
            await http.Response.CompleteAsync();
            await BodyReader.DrainAsync(http, time);
            return null;
        }

        var request = InferenceRequest.Parse(endpoint, body, options.MaxJsonDepth, report.RequestId, http.Request.Headers);
        report.Stream = request.Stream;
        if (table.Current.Pool(request.Model) is not { } pool) return new ErrorReply(404, OpenAIError.ModelNotFound(request.Model));
        report.Model = pool.Name;
        var images = request.HasMedia ? ImageParts.Find(request.Body, options.Images) : [];

        using var deadline = new Deadline(request.Timeout ?? Timeout.InfiniteTimeSpan, time, http.RequestAborted);
        await using var waiting = new KeepAlive(http, request.Stream, report.RequestId, time);
        request.KeepAlive = waiting;
        report.Stage = "queue";
        var queued = time.GetTimestamp();
        var (place, full) = await gate.EnterAsync(pool.Name, request.Priority, deadline.Token);
        Telemetry.Queue.Record(time.GetElapsedTime(queued).TotalSeconds);
        if (full is not null) return Reject(full);
        using (place)
        {
            return await flow.RunAsync(http, request, images, report, deadline.Token);
        }
    }

    private static ErrorReply Reject(ErrorReply reply)
    {
        Telemetry.Rejected.Add(1, new KeyValuePair<string, object?>("reason", reply.Code));
        return reply;
    }

    private static async Task EndAsync(HttpContext http, RequestReport report, ErrorReply error)
    {
        report.ErrorCode = error.Code;
        if (error.Status >= 502) report.Outcome = RequestOutcome.Failed;
        if (!http.Response.HasStarted) await error.WriteAsync(http.Response, http.RequestAborted);
        // A stream that had begun when the request's own time was up: its client still reads events.
        else if (http.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) is true)
            await http.Response.Body.WriteAsync(error.ToEvent(), http.RequestAborted);
        else http.Abort();
    }

    private void Conclude(HttpContext http, RequestReport report)
    {
        var duration = time.GetElapsedTime(report.Started);
        var model = new KeyValuePair<string, object?>("model", report.Model ?? "unknown");
        var status = report.Outcome is RequestOutcome.Aborted ? 499 : http.Response.StatusCode;
        Telemetry.Requests.Add(1, model, new("endpoint", report.Endpoint), new("code", status), new("outcome", report.Outcome.ToString().ToLowerInvariant()));
        Telemetry.RequestDuration.Record(duration.TotalSeconds, model);
        if (report.Stream && report.FirstToken is { } first) Telemetry.TimeToFirstToken.Record(first.TotalSeconds, model);
        foreach (var (kind, count) in ((string, long?)[])[("prompt", report.PromptTokens), ("cached", report.CachedTokens), ("completion", report.CompletionTokens)])
            if (count is > 0) Telemetry.Tokens.Add(count.Value, model, new("kind", kind));
        Activity.Current?.SetTag("gen_ai.request.model", report.Model);
        Activity.Current?.SetTag("request.id", report.RequestId);
        Log.Request(logger, report.RequestId, report.Endpoint, report.Model, report.Stream, status, report.Outcome, report.EncodeEngine, report.PrefillEngine, report.AnswerEngine,
            report.Retries, report.PromptTokens, report.CachedTokens, report.CompletionTokens, report.FinishReason, report.ErrorCode,
            report.FirstToken?.TotalMilliseconds, duration.TotalMilliseconds, report.Moves);
    }
}
