using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Continuation;
using NanoAspire.Router.Leases;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Stages;

/// <summary>
/// Prefill on one engine, decode on another. Decode is chosen first and counted as busy from then on, since a prompt without a place
/// to go is wasted work. Until the first byte every failure can be repaired: another prefill engine, the same hand-off to another
/// decode engine, and once a new prefill where the hand-off itself is in doubt.
/// </summary>
internal sealed class DisaggregatedFlow(
    NodeSelector selector, PrefillStage prefillStage, AnswerStage answer, KvLeaseTable leases, RouterOptions options, TimeProvider time)
{
    private const string PulledEarly = "kv_pulled_at_first_token";

    /// <summary>Whether any pair of engines could serve the pool now.</summary>
    public static bool IsPossible(ModelPool pool, InferenceRequest request) => pool.Decode.Any(decode => IsOpen(decode) && HasPartner(pool, decode, request));

    public async Task<FlowResult> RunAsync(HttpContext http, InferenceRequest request, RequestReport report, ModelPool pool, CancellationToken ct)
    {
        var attempt = new Attempt(http, request, report, pool, ct);
        var result = await OnceAsync(attempt);
        // A new prefill helps when the hand-off was refused or its puller died over it, not when engines are gone or failing.
        if (!result.Done && attempt.HandoffInDoubt) result = await OnceAsync(attempt);
        return result;
    }

    private async Task<FlowResult> OnceAsync(Attempt attempt)
    {
        var (http, request, report, pool, ct) = attempt;
        attempt.HandoffInDoubt = false;
        var decodes = selector.Rank(pool, EngineRole.Decode, request, node =>
            request.MayServe(node) && !attempt.FailedDecode.Contains(node) && HasPartner(pool, node, request));
        NodeVisit? reserved = null;
        var first = 0;
        for (; first < decodes.Length && reserved is null; first++) reserved = selector.Enter(pool, decodes[first], request, promptBytes: 0);
        if (reserved is null) return new FlowResult(Done: false, attempt.Last);
        try
        {
            var (done, parked, prefillNode) = await PrefillAsync(attempt, reserved.Node);
            if (done) return FlowResult.Answered;
            if (parked is null || prefillNode is null) return new FlowResult(Done: false, attempt.Last);

            using var lease = leases.Register(prefillNode, parked.Sequences);
            for (var (index, tries) = (first - 1, 0); index < decodes.Length && tries <= options.Retries; index++)
            {
                if (!NodeSelector.CanPair(prefillNode, decodes[index])) continue;
                var visit = index == first - 1 ? reserved : selector.Enter(pool, decodes[index], request, promptBytes: 0);
                if (visit is null) continue;
                if (tries++ > 0) report.CountRetry("decode", attempt.Last);
                using (visit)
                {
                    report.Stage = "decode";
                    var result = await answer.RunAsync(http, visit, LegFor(request, report, parked, lease, visit.Node), ct);
                    attempt.Last = result;
                    report.Conclude(result);
                    if (result.Status is LegStatus.Interrupted) request.Progress?.Gone.Add(visit.Node);
                    if (!result.Retryable) return new FlowResult(Done: true, result);
                    if (result.Status is LegStatus.HandoffRefused)
                    {
                        attempt.HandoffInDoubt = true;
                        attempt.Doubted.Add(prefillNode);
                        break;   // the next decode engine would find the same
                    }
                    if (result.Status is LegStatus.Died) attempt.HandoffInDoubt = true;
                    else attempt.FailedDecode.Add(visit.Node);
                }
            }
            return new FlowResult(Done: false, attempt.Last);
        }
        finally
        {
            reserved.Dispose();
        }
    }

    private async Task<(bool Done, PrefillReply.Parked? Parked, Node? Node)> PrefillAsync(Attempt attempt, Node decode)
    {
        var (http, request, report, pool, ct) = attempt;
        var ranked = selector.Rank(pool, EngineRole.Prefill, request, node => NodeSelector.CanPair(node, decode) && request.MayCompute(node) && !attempt.FailedPrefill.Contains(node));
        var tries = 0;
        // Engines whose hand-off was refused come last: they are the likelier culprits.
        List<Node> order = [.. ranked.OrderBy(attempt.Doubted.Contains)];
        for (var next = 0; next < order.Count && tries <= options.Retries; next++)
        {
            var node = order[next];
            if (request.Images is { } images && await images.EnsureAsync(http, request, report, pool, ct) is { } unread)
            {
                attempt.Last = unread.Last;
                return (unread.Done, null, null);
            }
            using var visit = selector.Enter(pool, node, request, request.PromptBytes);
            if (visit is null) continue;
            if (tries++ > 0 || attempt.Doubted.Count > 0) report.CountRetry("prefill", attempt.Last);
            report.Stage = "prefill";
            report.PrefillEngine = node.Id;
            var (waiting, started) = (node.PendingPromptBytes, node.Speed.Start());
            var reply = await prefillStage.RunAsync(http, node, request, ct);
            if (reply is PrefillReply.Finished or PrefillReply.Refused && request.KeepAlive is { } comments) await comments.EndAsync();
            switch (reply)
            {
                case PrefillReply.Parked parked:
                    visit.Succeed();
                    request.Images?.Release();
                    node.Speed.Record(waiting, started);
                    return (false, parked, node);
                case PrefillReply.Finished finished:
                    visit.Succeed();
                    request.Images?.Release();
                    node.Speed.Record(waiting, started);
                    if (!finished.Sequences.IsEmpty) leases.Register(node, finished.Sequences).Release();
                    report.FirstToken = time.GetElapsedTime(report.Started);
                    report.AnswerEngine = node.Id;
                    await FirstTokenAnswer.WriteAsync(http, request, report, finished.Body, ct);
                    return (true, null, node);
                case PrefillReply.Refused refused when http.Response.HasStarted:
                    visit.Succeed();
                    attempt.FailedPrefill.Add(node);
                    attempt.Last = new LegResult(LegStatus.Failed, $"status {refused.Refusal.Status}");
                    break;
                case PrefillReply.Refused refused:
                    visit.Succeed();
                    await refused.Refusal.WriteAsync(http, report, ct);
                    return (true, null, node);
                case PrefillReply.Failed { Result.Status: LegStatus.SlotsLost } failed:
                    visit.Succeed();   // the encoder is to blame, or the way between them
                    request.Images?.Lose();
                    if (attempt.Last?.Status is not LegStatus.SlotsLost) order.Insert(next + 1, node);
                    attempt.Last = failed.Result;
                    break;
                case PrefillReply.Failed failed:
                    if (!failed.Result.Busy) visit.Fail();
                    if (!failed.Sequences.IsEmpty) leases.Register(node, failed.Sequences).Release();
                    attempt.FailedPrefill.Add(node);
                    attempt.Last = failed.Result;
                    break;
            }
        }
        return (false, null, null);
    }

    private AnswerLeg LegFor(InferenceRequest request, RequestReport report, PrefillReply.Parked parked, KvLease lease, Node decode) => new()
    {
        Request = request,
        Report = report,
        Progress = decode.Has(StreamProgress.Capability) ? request.Progress : null,
        Body = request.DecodeBody(parked.Migration, decode.Has(StreamProgress.Capability) ? request.Progress : null),
        FirstByte = request.Stream ? options.Deadlines.FirstByte : options.Deadlines.WholeAnswer,
        Handoff = true,
        // With several sequences the first byte only says that one of them has been pulled.
        Answered = lease.Sequences.Length == 1 && decode.Has(PulledEarly) ? lease.Release : null,
    };

    private static bool HasPartner(ModelPool pool, Node decode, InferenceRequest request) =>
        pool.Prefill.Any(prefill => IsOpen(prefill) && NodeSelector.CanPair(prefill, decode) && request.MayCompute(prefill));

    private static bool IsOpen(Node node) => node.TakesWork && node.Breaker.Allows;

    /// <summary>What one request has learned about engines so far.</summary>
    private sealed record Attempt(HttpContext Http, InferenceRequest Request, RequestReport Report, ModelPool Pool, CancellationToken Ct)
    {
        public HashSet<Node> FailedDecode { get; } = [];
        public HashSet<Node> FailedPrefill { get; } = [];
        public HashSet<Node> Doubted { get; } = [];
        public bool HandoffInDoubt { get; set; }
        public LegResult? Last { get; set; }
    }
}
