namespace NanoAspire.Native.Rdma;

/// <summary>Registered memory. Does not own the bytes: <see cref="RegionRegistry.UnregisterAsync"/> must complete before they are freed.</summary>
public sealed class MemoryRegion
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _pins;
    private bool _closed;

    internal MemoryRegion(RegionId id, string name, nint address, ulong length, RegionAccess access, IReadGuard? guard)
    {
        (Id, Name, Address, Length, Access, Guard) = (id, name, address, length, access, guard);
    }

    public RegionId Id { get; }
    /// <summary>For people; not unique.</summary>
    public string Name { get; }
    public nint Address { get; }
    /// <summary>Bytes.</summary>
    public ulong Length { get; }
    public RegionAccess Access { get; }
    internal IReadGuard? Guard { get; }

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
        _drained.TrySetResult();
    }

    /// <summary>Refuses new pins; the task completes with the last one.</summary>
    internal Task Close()
    {
        lock (_gate)
        {
            _closed = true;
            if (_pins == 0) _drained.TrySetResult();
        }
        return _drained.Task;
    }
}
