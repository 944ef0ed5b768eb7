using System.Diagnostics;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Stages;

/// <summary>The stage whose answer goes to the client: decode after a hand-off, or both phases on a hybrid engine.</summary>
internal sealed class AnswerStage(EngineForwarder forwarder, TimeProvider time)
{
    /// <exception cref="OperationCanceledException">The client left or the request's own time is up.</exception>
    public async Task<LegResult> RunAsync(HttpContext http, NodeVisit visit, AnswerLeg leg, CancellationToken ct)
    {
        var node = visit.Node;
        using var span = StageSpan.Start(leg.Handoff ? "decode" : "generate", node, leg.Request);
        var model = new KeyValuePair<string, object?>("model", leg.Request.Model);
        var started = time.GetTimestamp();
        var waiting = node.PendingPromptBytes;
        leg.Report.AnswerEngine = node.Id;

        var result = await forwarder.ForwardAsync(http, node, leg with { Answered = Answered }, ct);

        Telemetry.Decode.Record(time.GetElapsedTime(started).TotalSeconds, model);
        switch (result.Status)
        {
            case LegStatus.Completed or LegStatus.Refused or LegStatus.HandoffRefused or LegStatus.SlotsLost:
                visit.Succeed();   // a refusal is an answer: the engine works
                break;
            case LegStatus.ClientStalled:
                break;
            default:
                // A busy engine is not a broken one; it just gets no more for now by being passed over.
                if (!result.Busy) visit.Fail();
                break;
        }
        if (result.Status is not (LegStatus.Completed or LegStatus.Refused)) span?.SetStatus(ActivityStatusCode.Error, result.Reason);
        if (leg.Report.FinishReason is { } reason) span?.SetTag("gen_ai.response.finish_reasons", new[] { reason });
        if (leg.Report.PromptTokens is { } input) span?.SetTag("gen_ai.usage.input_tokens", input);
        if (leg.Report.CompletionTokens is { } output) span?.SetTag("gen_ai.usage.output_tokens", output);
        return result;

        void Answered()
        {
            visit.PromptDone();
            if (leg.Handoff) Telemetry.Handoff.Record(time.GetElapsedTime(started).TotalSeconds, model);
            // A whole answer comes after its last token, which says nothing about prompts.
            else if (leg.Request.Stream) node.Speed.Record(waiting, started);
            span?.AddEvent(new ActivityEvent("first_byte"));
            leg.Answered?.Invoke();
        }
    }
}
