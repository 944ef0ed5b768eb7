using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Policies;

/// <summary>
/// Sends a prompt where the longest part of it was sent before, so that the engine finds it in its prefix cache, unless that engine is
/// much busier than the others. Knows only the router's own decisions: an approximation, and it forgets after two idle minutes.
/// </summary>
internal sealed class PrefixAwarePolicy(TimeProvider time) : IRoutingPolicy
{
    public const string Name = "prefix_aware";

    /// <summary>Less than this share of the prompt is not worth a detour.</summary>
    private const double WorthwhileMatch = 0.3;
    /// <summary>Busier than the idlest engine by more than this many requests, and by this factor: the cache no longer pays.</summary>
    private const int ImbalanceAbsolute = 32;
    private const double ImbalanceRelative = 1.5;

    private readonly LeastLoadPolicy _fresh = new();
    private readonly PrefixIndex _index = new(time);

    public void Rank(InferenceRequest request, Span<Node> candidates)
    {
        _fresh.Rank(request, candidates);
        if (candidates.Length == 1) return;
        var (most, least) = (int.MinValue, int.MaxValue);
        foreach (var node in candidates) (most, least) = (Math.Max(most, node.InFlight), Math.Min(least, node.InFlight));
        if (most - least > ImbalanceAbsolute && most > ImbalanceRelative * least) return;
        if (_index.Longest(request.Prompt, candidates) is var (index, blocks)
            && blocks * PromptText.BlockBytes >= WorthwhileMatch * request.Prompt.Length) candidates.BringForward(index);
    }

    public void Routed(InferenceRequest request, Node node) => _index.Add(request.Prompt, node);
}
