using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>
/// The engine expected to give the first token soonest: prompt bytes waiting there plus the request's own, over the rate at which the
/// engine was seen to get through prompts. An engine never measured is taken to be as fast as the mean of the others.
/// </summary>
internal sealed class MinExpectedTtftPolicy : IRoutingPolicy
{
    public const string Name = "min_expected_ttft";

    private readonly RoundRobinPolicy _ties = new();

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        _ties.Rank(request, candidates);
        var (sum, known) = (0.0, 0);
        foreach (var node in candidates)
        {
            if (node.Speed.BytesPerSecond is not { } speed) continue;
            sum += speed;
            known++;
        }
        var mean = known == 0 ? 1 : sum / known;
        var own = request.PromptBytes;
        candidates.OrderBy(node => (node.PendingPromptBytes + own) / (node.Speed.BytesPerSecond ?? mean));
    }
}
