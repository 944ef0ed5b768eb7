using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>A registry under the test's hand.</summary>
internal sealed class ListNodeSource(params IEnumerable<EngineDescriptor> engines) : INodeSource
{
    private readonly ChangeSignal _changed = new();

    public ImmutableArray<EngineDescriptor> Current { get; private set; } = [.. engines];

    public IChangeToken GetChangeToken() => _changed.Token;

    public void Set(params IEnumerable<EngineDescriptor> engines)
    {
        Current = [.. engines];
        _changed.Fire();
    }
}
