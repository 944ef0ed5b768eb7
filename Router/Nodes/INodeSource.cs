using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>Somewhere that engines are known from. What it no longer lists is gone; while it cannot tell, it repeats what it knew.</summary>
internal interface INodeSource
{
    ImmutableArray<EngineDescriptor> Current { get; }

    /// <summary>Fires once when <see cref="Current"/> has changed.</summary>
    IChangeToken GetChangeToken();
}
