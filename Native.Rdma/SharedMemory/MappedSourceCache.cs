namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>
/// Mappings of source regions, kept between reads and dropped when their source is lost or nobody used them for a while:
/// a mapping holds the memory of a dead process.
/// </summary>
internal sealed class MappedSourceCache : IAsyncDisposable
{
    /// <summary>Beyond it the least recently used mapping goes.</summary>
    private const int MaxEntries = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(TransferPeer, RegionId), Entry> _entries = [];
    private readonly TimeProvider _time;
    private readonly TimeSpan _idle;
    private readonly ITimer _sweep;

    public MappedSourceCache(TimeProvider time, TimeSpan idle)
    {
        (_time, _idle) = (time, idle);
        _sweep = time.CreateTimer(static cache => ((MappedSourceCache)cache!).DropIdle(), this, idle, idle / 2);
    }

    public int Count { get { lock (_gate) return _entries.Count; } }

    /// <summary>Null when the region was never looked at. The entry is used until <see cref="Release"/>.</summary>
    public Entry? Acquire(TransferPeer peer, RegionId region)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue((peer, region), out var entry)) return null;
            entry.Users++;
            return entry;
        }
    }

    /// <summary>Remembers a mapping, or (null) that there is none; when another read was faster its entry wins.</summary>
    public Entry Add(TransferPeer peer, RegionId region, MappedSource? source)
    {
        Entry? oldest = null;
        Entry entry;
        lock (_gate)
        {
            if (_entries.TryGetValue((peer, region), out var existing))
            {
                entry = existing;
            }
            else
            {
                if (_entries.Count >= MaxEntries) oldest = RemoveOldest();
                entry = _entries[(peer, region)] = new(source);
                source = null;
            }
            entry.Users++;
        }
        source?.Dispose();
        DisposeUnused(oldest);
        return entry;
    }

    public void Release(Entry entry)
    {
        lock (_gate)
        {
            entry.Users--;
            entry.LastUsed = _time.GetTimestamp();
        }
        DisposeUnused(entry);
    }

    /// <summary>Forgets everything about a peer; mappings in use go with their last user.</summary>
    public void Drop(TransferPeer peer) => Remove((key, _) => key.Item1 == peer);

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        Remove(static (_, _) => true);
    }

    private void DropIdle() => Remove((_, entry) => entry.Users == 0 && _time.GetElapsedTime(entry.LastUsed) >= _idle);

    private void Remove(Func<(TransferPeer, RegionId), Entry, bool> condition)
    {
        List<Entry> removed = [];
        lock (_gate)
        {
            foreach (var (key, entry) in _entries.ToArray())
            {
                if (!condition(key, entry)) continue;
                _entries.Remove(key);
                entry.Removed = true;
                removed.Add(entry);
            }
        }
        foreach (var entry in removed) DisposeUnused(entry);
    }

    private Entry RemoveOldest()
    {
        var (key, entry) = _entries.MinBy(static e => e.Value.Users > 0 ? long.MaxValue : e.Value.LastUsed);
        _entries.Remove(key);
        entry.Removed = true;
        return entry;
    }

    private void DisposeUnused(Entry? entry)
    {
        if (entry is null) return;
        lock (_gate)
        {
            if (!entry.Removed || entry.Users > 0) return;
        }
        entry.Source?.Dispose();
    }

    internal sealed class Entry(MappedSource? source)
    {
        /// <summary>Null: known not to be mappable.</summary>
        public MappedSource? Source => source;
        public int Users { get; set; }
        public long LastUsed { get; set; }
        public bool Removed { get; set; }
    }
}
