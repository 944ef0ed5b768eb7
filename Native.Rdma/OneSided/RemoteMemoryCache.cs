namespace NanoAspire.Native.Rdma.OneSided;

/// <summary>
/// Regions of peers within reach, kept between transfers and dropped when their owner is lost or nobody used them for a while:
/// a mapping holds the memory of a dead process.
/// </summary>
internal sealed class RemoteMemoryCache : IAsyncDisposable
{
    /// <summary>Beyond it the least recently used one goes.</summary>
    private const int MaxEntries = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(TransferPeer Peer, RegionId Region, bool Writes), Entry> _entries = [];
    private readonly Dictionary<(TransferPeer Peer, RegionId Region, bool Writes), TaskCompletionSource<TransferException?>> _opening = [];
    private readonly TimeProvider _time;
    private readonly TimeSpan _idle;
    private readonly ITimer _sweep;

    public RemoteMemoryCache(TimeProvider time, TimeSpan idle)
    {
        (_time, _idle) = (time, idle);
        _sweep = time.CreateTimer(static cache => ((RemoteMemoryCache)cache!).DropIdle(), this, idle, idle / 2);
    }

    public int Count { get { lock (_gate) return _entries.Count; } }

    /// <summary>Null when the region was never looked at. The entry is used until <see cref="Release"/>.</summary>
    public Entry? Acquire(TransferPeer peer, RegionId region, bool writes)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue((peer, region, writes), out var entry)) return null;
            entry.Users++;
            return entry;
        }
    }

    /// <summary>
    /// As <see cref="Acquire"/>, but has <paramref name="open"/> add what is missing, once: who asks meanwhile waits, and gets the same
    /// entry or the same failure. What <paramref name="open"/> returns is in use.
    /// Opening takes connections of a device, of which a burst of first transfers must not take one each.
    /// </summary>
    public async Task<Entry> OpenAsync(TransferPeer peer, RegionId region, bool writes, Func<Task<Entry>> open, CancellationToken cancellationToken)
    {
        var key = (peer, region, writes);
        var mine = new TaskCompletionSource<TransferException?>(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<TransferException?>? theirs;
        do
        {
            lock (_gate)
            {
                if (_entries.TryGetValue(key, out var entry))
                {
                    entry.Users++;
                    return entry;
                }
                if (!_opening.TryGetValue(key, out theirs)) _opening[key] = mine;
            }
            if (theirs is not null && await theirs.Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } failure)
                throw new TransferException(failure.Code, failure.Message, failure);
        }
        while (theirs is not null); // who opened it was cancelled, or it has been dropped since: the next one opens it
        TransferException? outcome = null;
        try
        {
            return await open().ConfigureAwait(false);
        }
        catch (TransferException e)
        {
            outcome = e;
            throw;
        }
        finally
        {
            lock (_gate) _opening.Remove(key);
            mine.SetResult(outcome);
        }
    }

    /// <summary>What is known now, for people.</summary>
    public TransferPath[] Choices() { lock (_gate) return [.. _entries.Values.Select(static e => e.Choice)]; }

    /// <summary>Remembers what was opened, or (null) that nothing could be; when another transfer was faster its entry wins.</summary>
    public Entry Add(TransferPeer peer, RegionId region, bool writes, IRemoteMemory? memory, TransferPath choice)
    {
        Entry? oldest = null;
        Entry entry;
        lock (_gate)
        {
            if (_entries.TryGetValue((peer, region, writes), out var existing))
            {
                entry = existing;
            }
            else
            {
                if (_entries.Count >= MaxEntries) oldest = RemoveOldest();
                entry = _entries[(peer, region, writes)] = new(memory, choice);
                memory = null;
            }
            entry.Users++;
        }
        memory?.Dispose();
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

    /// <summary>Forgets everything about a peer; what is in use goes with its last user.</summary>
    public void Drop(TransferPeer peer) => Remove((key, _) => key.Peer == peer);

    /// <summary>Replaces an entry that turned out not to do what it should.</summary>
    public Entry Refuse(TransferPeer peer, RegionId region, bool writes, TransferPath choice)
    {
        Remove((key, _) => key == (peer, region, writes));
        return Add(peer, region, writes, memory: null, choice);
    }

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        Remove(static (_, _) => true);
    }

    private void DropIdle() => Remove((_, entry) => entry.Users == 0 && _time.GetElapsedTime(entry.LastUsed) >= _idle);

    private void Remove(Func<(TransferPeer Peer, RegionId Region, bool Writes), Entry, bool> condition)
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
        entry.Dispose();
    }

    internal sealed class Entry(IRemoteMemory? memory, TransferPath choice) : IDisposable
    {
        /// <summary>Null: known not to be within reach.</summary>
        public IRemoteMemory? Memory => memory;
        public TransferPath Choice => choice;
        /// <summary>True once a copy was seen to need nothing of the peer.</summary>
        public bool Proven { get; set; } = memory is { NeedsProof: false };
        public int Users { get; set; }
        public long LastUsed { get; set; }
        public bool Removed { get; set; }
        /// <summary>One proof at a time: who waits for it may find it given.</summary>
        public SemaphoreSlim Proving { get; } = new(1, 1);

        public void Dispose()
        {
            memory?.Dispose();
            Proving.Dispose();
        }
    }
}
