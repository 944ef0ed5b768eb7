using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>Both phases on one engine: the request goes through as it came, and on to the next engine while nothing has come back.</summary>
internal sealed class HybridFlow(NodeSelector selector, AnswerStage answer, RouterOptions options)
{
    public async Task<FlowResult> RunAsync(HttpContext http, InferenceRequest request, RequestReport report, ModelPool pool, CancellationToken ct)
    {
        LegResult? last = null;
        var tries = 0;
        foreach (var node in selector.Rank(pool, EngineRole.Hybrid, request, static _ => true))
        {
            if (tries > options.Retries) break;
            using var visit = selector.Enter(pool, node, request, request.PromptBytes);
            if (visit is null) continue;
            if (tries++ > 0) report.CountRetry("generate", last);
            report.Stage = "generate";
            last = await answer.RunAsync(http, visit, new AnswerLeg
            {
                Request = request,
                Report = report,
                Body = request.HybridBody,
                FirstByte = request.Stream ? options.Deadlines.Prefill + options.Deadlines.FirstByte : options.Deadlines.WholeAnswer,
            }, ct);
            report.Conclude(last);
            if (!last.Retryable) return FlowResult.Answered;
        }
        return new FlowResult(Done: false, last);
    }
}
