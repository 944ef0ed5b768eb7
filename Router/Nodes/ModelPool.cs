using System.Collections.Immutable;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Images;

namespace NanoAspire.Router.Nodes;

/// <summary>The engines that serve one model, by role. Health is not in here: it changes faster than the table.</summary>
internal sealed record ModelPool
{
    /// <summary>The served name; other names of the model lead to the same pool.</summary>
    public required string Name { get; init; }
    public required ImmutableArray<string> Aliases { get; init; }
    public required ImmutableArray<Node> Prefill { get; init; }
    public required ImmutableArray<Node> Decode { get; init; }
    public required ImmutableArray<Node> Hybrid { get; init; }
    /// <summary>Those that turn images of this model's requests into what its prompts need; they serve no text.</summary>
    public ImmutableArray<Node> Encoder { get; init; } = [];

    public ImmutableArray<Node> this[EngineRole role] => role switch
    {
        EngineRole.Prefill => Prefill,
        EngineRole.Decode => Decode,
        EngineRole.Hybrid => Hybrid,
        EngineRole.Encoder => Encoder,
        _ => [],
    };

    /// <summary>Whether images go to an encoder first: the engines that compute prompts read its results. Otherwise they get the images as they came.</summary>
    public bool HasImageStage => Prefill.Any(EncodedImages.AreReadBy) || Hybrid.Any(EncodedImages.AreReadBy);

    /// <summary>Whether a request could be served by engines that take work now.</summary>
    public bool Servable => Hybrid.Any(node => node.TakesWork) || (Prefill.Any(node => node.TakesWork) && Decode.Any(node => node.TakesWork));
}
