using System.Collections.Frozen;
using System.Collections.Immutable;

namespace NanoAspire.Router.Nodes;

/// <summary>The table at one moment. Immutable; a newer one replaces it whole.</summary>
internal sealed record NodeSnapshot
{
    public static NodeSnapshot Empty { get; } = new() { Nodes = [], Models = FrozenDictionary<string, ModelPool>.Empty };

    public required ImmutableArray<Node> Nodes { get; init; }
    /// <summary>Every name that a request may carry to its pool.</summary>
    public required FrozenDictionary<string, ModelPool> Models { get; init; }

    public Node? Find(string idOrUrl) => Nodes.FirstOrDefault(node => node.Id == idOrUrl || node.Url == idOrUrl);

    public ModelPool? Pool(string model) => Models.GetValueOrDefault(model) ?? Models.GetValueOrDefault(model.TrimEnd('/'));
}
