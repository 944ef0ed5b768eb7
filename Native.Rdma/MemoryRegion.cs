namespace NanoAspire.Native.Rdma;

/// <summary>Registered memory. Does not own the bytes: <see cref="RegionRegistry.UnregisterAsync"/> must complete before they are freed.</summary>
public sealed class MemoryRegion
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _pins;
    private bool _closed;
    private List<IDisposable>? _attached;

    internal MemoryRegion(RegionId id, string name, nint address, ulong length, RegionAccess access, IReadGuard? readGuard, IWriteGuard? writeGuard, MemoryKind kind)
    {
        (Id, Name, Address, Length, Access, ReadGuard, WriteGuard, Kind) = (id, name, address, length, access, readGuard, writeGuard, kind);
    }

    public RegionId Id { get; }
    /// <summary>For people; not unique.</summary>
    public string Name { get; }
    public nint Address { get; }
    /// <summary>Bytes.</summary>
    public ulong Length { get; }
    public RegionAccess Access { get; }
    public MemoryKind Kind { get; }
    internal IReadGuard? ReadGuard { get; }
    internal IWriteGuard? WriteGuard { get; }

    /// <summary>Transfers that use the region now.</summary>
    public int Pins { get { lock (_gate) return _pins; } }

    /// <summary>True when <c>[offset, offset + length)</c> lies inside, without overflow.</summary>
    public bool Contains(ulong offset, ulong length) => offset <= Length && length <= Length - offset;

    internal bool TryPin()
    {
        lock (_gate)
        {
            if (_closed) return false;
            _pins++;
            return true;
        }
    }

    internal void Unpin()
    {
        lock (_gate)
        {
            if (--_pins > 0 || !_closed) return;
        }
        Drain();
    }

    /// <summary>What a transport keeps for this region (a registration with a device): made once, disposed when the region is closed and drained.
    /// The caller holds a pin.</summary>
    internal T Attach<T>(Func<MemoryRegion, T> make) where T : class, IDisposable
    {
        lock (_gate)
        {
            foreach (var known in _attached ?? []) if (known is T found) return found;
            var made = make(this);
            (_attached ??= []).Add(made);
            return made;
        }
    }

    /// <summary>Refuses new pins; the task completes with the last one.</summary>
    internal Task Close()
    {
        bool drained;
        lock (_gate)
        {
            _closed = true;
            drained = _pins == 0;
        }
        if (drained) Drain();
        return _drained.Task;
    }

    private void Drain()
    {
        List<IDisposable>? attached;
        lock (_gate) (attached, _attached) = (_attached, null);
        foreach (var item in attached ?? []) item.Dispose();
        _drained.TrySetResult();
    }
}
