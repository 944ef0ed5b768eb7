using NanoAspire.Native.Rdma;

namespace NanoAspire.Engine.Transfer;

/// <summary>
/// One parked sequence: who may read which blocks, and until when. The blocks go back to the engine once the lease has ended
/// and no read of them is in flight. Itself the pin of its reads: disposed once for each.
/// A read that is granted shortly before the end keeps the lease for another quarter of its length, so that a pull under way
/// can finish; together for no more than one length.
/// </summary>
internal sealed class HandoffLease(long id, ParkedKv parked, long blockBytes, DateTimeOffset start, TimeSpan length) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<int> _blocks = [.. parked.Blocks];
    private DateTimeOffset _expires = start + length;
    private int _readers;
    private bool _ended;

    public long Id { get; } = id;

    public bool IsOver(DateTimeOffset now)
    {
        lock (_gate) return _ended || now >= _expires;
    }

    /// <summary>False when the lease is over or a range touches a block that is not its own.</summary>
    public bool TryPin(ReadOnlySpan<SourceRange> ranges, DateTimeOffset now)
    {
        foreach (var range in ranges) if (!Covers(range)) return false;
        lock (_gate)
        {
            if (_ended || now >= _expires) return false;
            _readers++;
            var (renewed, last) = (now + length / 4, start + length * 2);
            if (renewed > _expires) _expires = renewed < last ? renewed : last;
            return true;
        }
    }

    /// <summary>Grants no more reads. False when that was so already.</summary>
    public bool End()
    {
        bool last;
        lock (_gate)
        {
            if (_ended) return false;
            _ended = true;
            last = _readers == 0;
        }
        if (last) parked.Release();
        return true;
    }

    public void Dispose()
    {
        bool last;
        lock (_gate) last = --_readers == 0 && _ended;
        if (last) parked.Release();
    }

    private bool Covers(SourceRange range)
    {
        if (range.Length == 0) return true;
        var first = range.Offset / (ulong)blockBytes;
        var last = (range.Offset + range.Length - 1) / (ulong)blockBytes;
        for (var block = first; block <= last; block++)
            if (block > int.MaxValue || !_blocks.Contains((int)block)) return false;
        return true;
    }
}
