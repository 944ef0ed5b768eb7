using NanoAspire.Router.Continuation;
using NanoAspire.Router.Images;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>
/// Chooses how a request is served: disaggregated where a pair of engines is there, else on a hybrid engine. A stream that breaks
/// off goes on at other engines from the tokens that the client has.
/// </summary>
internal sealed class RequestFlow(NodeTable table, ImageReader reader, DisaggregatedFlow disaggregated, HybridFlow hybrid, RouterOptions options)
{
    /// <param name="http">The client's exchange.</param>
    /// <param name="request">What it asks for.</param>
    /// <param name="images">Those of its messages.</param>
    /// <param name="report">Filled on the way.</param>
    /// <param name="ct">Ends when the client leaves or its own time is up.</param>
    /// <returns>The error to answer with; null when the client has its answer.</returns>
    public async Task<ErrorReply?> RunAsync(HttpContext http, InferenceRequest request, IReadOnlyList<ImagePart> images, RequestReport report, CancellationToken ct)
    {
        // Engines that do not read encoders' slots get the images as they came, and answer for themselves.
        if (images.Count == 0 || table.Current.Pool(request.Model) is not { HasImageStage: true }) return await RunAsync(http, request, report, ct);
        var read = await reader.ReadAsync(request, images, ct);
        using (read.Images) return await RunAsync(http, read, report, ct);
    }

    private async Task<ErrorReply?> RunAsync(HttpContext http, InferenceRequest request, RequestReport report, CancellationToken ct)
    {
        var progress = options.Moves > 0 && request.IsContinuable ? new StreamProgress(request.WantsTokens) : null;
        var current = progress is null ? request : request.With(progress);
        var result = await ServeAsync(http, current, report, ct);
        while (result is { Done: true, Last.Status: LegStatus.Interrupted } && progress is not null)
        {
            if (progress.Finished && (progress.UsageSent || !request.IncludeUsage))
            {
                // Only the farewell is missing.
                await http.Response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), ct);
                report.Conclude(LegResult.Completed);
                return null;
            }
            if (progress.Finished || progress.Moves == options.Moves || request.Rest(progress) is not { } rest) return ErrorReply.NodeFailed(result.Last.Reason);
            progress.Move();
            report.CountMove(report.Stage);
            result = await ServeAsync(http, rest, report, ct);
        }
        if (result.Done) return null;
        if (http.Response.HasStarted) return ErrorReply.NodeFailed(result.Last?.Reason ?? "no engine can go on with the answer");
        return result.Last switch
        {
            null or { Busy: true } => ErrorReply.NoCapacity(request.Model, result.Last?.Reason),
            { Status: LegStatus.TimedOut } => ErrorReply.DeadlineExceeded(),
            var failed => ErrorReply.NodeFailed(failed.Reason),
        };
    }

    private async Task<FlowResult> ServeAsync(HttpContext http, InferenceRequest request, RequestReport report, CancellationToken ct)
    {
        // The table may have changed while the request waited for its place, and may again before an answer goes on.
        if (table.Current.Pool(request.Model) is not { } pool) return FlowResult.NoEngine;
        var result = FlowResult.NoEngine;
        if (DisaggregatedFlow.IsPossible(pool, request)) result = await disaggregated.RunAsync(http, request, report, pool, ct);
        var allowed = options.HybridFallback || (pool.Prefill.IsEmpty && pool.Decode.IsEmpty);
        if (!result.Done && allowed && !pool.Hybrid.IsEmpty)
        {
            var instead = await hybrid.RunAsync(http, request, report, pool, ct);
            result = instead.Done || instead.Last is not null ? instead : result;
        }
        return result;
    }
}
