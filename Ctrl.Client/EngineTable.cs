using System.Collections.Immutable;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Ctrl.Client;

/// <summary>Turns successive lists into snapshots: one engine per URL, and no mass removal just after an outage. One caller at a time.</summary>
internal sealed class EngineTable(TimeSpan returnGrace, TimeProvider time)
{
    private readonly HashSet<string> _unconfirmed = new(StringComparer.OrdinalIgnoreCase);
    private ImmutableArray<EngineDescriptor> _current = [];
    private long _outageEnded;

    /// <summary>When an engine held back by the grace is due to be dropped; null when none is.</summary>
    public TimeSpan? PendingIn { get; private set; }

    /// <param name="listed">The list as just read.</param>
    /// <param name="outage">Whether reads had been failing until now, or the control plane may have lost its state.</param>
    public ImmutableArray<EngineDescriptor> Apply(IReadOnlyList<ListedEngine> listed, bool outage)
    {
        if (outage)
        {
            _outageEnded = time.GetTimestamp();
            _unconfirmed.UnionWith(_current.Select(e => e.Url));
        }
        var byUrl = new Dictionary<string, ListedEngine>(StringComparer.OrdinalIgnoreCase);
        foreach (var engine in listed)
        {
            if (!byUrl.TryGetValue(engine.Engine.Url, out var other) || IsNewer(engine, other)) byUrl[engine.Engine.Url] = engine;
        }
        var next = byUrl.Values.Select(e => e.Engine).ToList();
        PendingIn = null;
        if (_unconfirmed.Count > 0)
        {
            _unconfirmed.ExceptWith(byUrl.Keys);                             // seen again: from now on its absence counts
            var left = returnGrace - time.GetElapsedTime(_outageEnded);
            if (left <= TimeSpan.Zero) _unconfirmed.Clear();
            else if (_unconfirmed.Count > 0) PendingIn = left;
            next.AddRange(_current.Where(e => _unconfirmed.Contains(e.Url)));
        }
        next.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        return _current = [.. next];
    }

    /// <summary>Whether two snapshots say the same; records compare their lists by reference, so this looks inside.</summary>
    public static bool Same(ImmutableArray<EngineDescriptor> a, ImmutableArray<EngineDescriptor> b)
    {
        if (a.Length != b.Length) return false;
        for (var i = 0; i < a.Length; i++)
        {
            if (!a[i].Models.SequenceEqual(b[i].Models) || !a[i].Capabilities.SequenceEqual(b[i].Capabilities)) return false;
            if (a[i] with { Models = b[i].Models, Capabilities = b[i].Capabilities } != b[i]) return false;
        }
        return true;
    }

    /// <summary>The later start is the live one; without start times, the id that was not there before.</summary>
    private bool IsNewer(ListedEngine engine, ListedEngine than)
    {
        if (engine.StartedAtMs != than.StartedAtMs) return engine.StartedAtMs > than.StartedAtMs;
        var (known, otherKnown) = (IsKnown(engine), IsKnown(than));
        return known != otherKnown ? otherKnown : string.CompareOrdinal(engine.Engine.Id, than.Engine.Id) > 0;
    }

    private bool IsKnown(ListedEngine engine) => _current.Any(e => e.Id == engine.Engine.Id);
}
