using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

/// <summary>Engines added and removed through <c>/nodes</c>. They live as long as the process.</summary>
internal sealed class ManualNodeSource : INodeSource
{
    /// <summary>Nobody adds so many by hand; a script gone wild stops here.</summary>
    private const int Capacity = 4096;

    private readonly ChangeSignal _changed = new();
    private ImmutableArray<EngineDescriptor> _engines = [];

    public ImmutableArray<EngineDescriptor> Current => _engines;

    public IChangeToken GetChangeToken() => _changed.Token;

    /// <returns>False when an engine with that URL is there already, or the table is full.</returns>
    public bool Add(EngineDescriptor engine)
    {
        var added = ImmutableInterlocked.Update(ref _engines, engines =>
            engines.Length >= Capacity || engines.Any(known => known.Url == engine.Url) ? engines : engines.Add(engine));
        if (added) _changed.Fire();
        return added;
    }

    /// <returns>False when no engine was added under that URL.</returns>
    public bool Remove(string url)
    {
        var removed = ImmutableInterlocked.Update(ref _engines, engines => engines.RemoveAll(engine => engine.Url == url));
        if (removed) _changed.Fire();
        return removed;
    }
}
