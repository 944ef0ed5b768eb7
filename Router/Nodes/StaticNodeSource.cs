using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>The engines named on the command line.</summary>
internal sealed class StaticNodeSource(IEnumerable<EngineDescriptor> engines) : INodeSource
{
    public ImmutableArray<EngineDescriptor> Current { get; } = [.. engines];

    public IChangeToken GetChangeToken() => new CancellationChangeToken(CancellationToken.None);
}
