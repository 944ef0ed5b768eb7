using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Ctrl.Client;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>The engines registered with the control plane. The directory keeps what it knew while the control plane is away.</summary>
internal sealed class DirectoryNodeSource(EngineDirectory directory) : INodeSource
{
    public ImmutableArray<EngineDescriptor> Current => directory.Current;

    public IChangeToken GetChangeToken() => directory.GetChangeToken();
}
