using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Continuation;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Parsing;
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
        List<Node> order = [.. selector.Rank(pool, EngineRole.Hybrid, request, request.MayCompute)];
        for (var next = 0; next < order.Count && tries <= options.Retries; next++)
        {
            var node = order[next];
            if (request.Images is { } images && await images.EnsureAsync(http, request, report, pool, ct) is { } unread) return unread;
            using var visit = selector.Enter(pool, node, request, request.PromptBytes);
            if (visit is null) continue;
            if (tries++ > 0) report.CountRetry("generate", last);
            report.Stage = "generate";
            var rewriter = node.Has(ParsingOptions.Capability) ? null : AnswerRewriter.For(options.Parsing, request);
            var progress = rewriter is not null ? null : node.Has(StreamProgress.Capability) ? request.Progress : null;
            var before = last;
            last = await answer.RunAsync(http, visit, new AnswerLeg
            {
                Request = request,
                Report = report,
                Body = rewriter is null ? request.HybridBody(progress) : request.UnparsedBody,
                Rewriter = rewriter,
                Progress = progress,
                Slots = request.Images is not null,
                Answered = request.Images is { } shown ? shown.Release : null,   // the first byte comes after the prompt
                FirstByte = request.Stream ? options.Deadlines.Prefill + options.Deadlines.FirstByte : options.Deadlines.WholeAnswer,
            }, ct);
            report.Conclude(last);
            if (last.Status is LegStatus.Interrupted) progress?.Gone.Add(node);
            if (last.Status is LegStatus.SlotsLost)
            {
                request.Images?.Lose();
                if (before?.Status is not LegStatus.SlotsLost) order.Insert(next + 1, node);   // it is not to blame
            }
            if (!last.Retryable) return new FlowResult(Done: true, last);
        }
        return new FlowResult(Done: false, last);
    }
}
