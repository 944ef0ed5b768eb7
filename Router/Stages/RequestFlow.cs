using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>Chooses how a request is served: disaggregated where a pair of engines is there, else on a hybrid engine.</summary>
internal sealed class RequestFlow(NodeTable table, DisaggregatedFlow disaggregated, HybridFlow hybrid, RouterOptions options)
{
    /// <returns>The error to answer with; null when the client has its answer.</returns>
    public async Task<ErrorReply?> RunAsync(HttpContext http, InferenceRequest request, RequestReport report, CancellationToken ct)
    {
        // The table may have changed while the request waited for its place.
        if (table.Current.Pool(request.Model) is not { } pool) return ErrorReply.NoCapacity(request.Model);
        var result = FlowResult.NoEngine;
        if (DisaggregatedFlow.IsPossible(pool)) result = await disaggregated.RunAsync(http, request, report, pool, ct);
        var allowed = options.HybridFallback || (pool.Prefill.IsEmpty && pool.Decode.IsEmpty);
        if (!result.Done && allowed && !pool.Hybrid.IsEmpty)
        {
            var instead = await hybrid.RunAsync(http, request, report, pool, ct);
            result = instead.Done || instead.Last is not null ? instead : result;
        }
        if (result.Done) return null;
        return result.Last switch
        {
            null or { Busy: true } => ErrorReply.NoCapacity(request.Model),
            { Status: LegStatus.TimedOut } => ErrorReply.DeadlineExceeded(),
            var failed => ErrorReply.NodeFailed(failed.Reason),
        };
    }
}
