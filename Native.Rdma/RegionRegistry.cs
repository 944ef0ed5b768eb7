using System.Buffers.Binary;
using System.Security.Cryptography;
using NanoAspire.Native.Rdma.Cuda;

namespace NanoAspire.Native.Rdma;

/// <summary>The regions of a process: what peers may read and what transfers may write to. Thread-safe.</summary>
public sealed class RegionRegistry
{
    /// <summary>Registrations at one time; more is a leak.</summary>
    public const int MaxRegions = 4096;

    private readonly Lock _gate = new();
    private readonly List<MemoryRegion?> _slots = [];
    private readonly List<uint> _generations = [];

    /// <summary>The one registry that the transports of a process share unless told otherwise.</summary>
    public static RegionRegistry Process { get; } = new();

    /// <summary>Random, never 0: tells this run of the process from every other one.</summary>
    public ulong Incarnation { get; } = NewIncarnation();

    /// <summary>Messages and notifications of peers.</summary>
    public TransferInbox Inbox { get; } = new();

    /// <summary>Registrations now.</summary>
    public int Count { get { lock (_gate) return _slots.Count(static r => r is not null); } }

    /// <summary>Transfers that use registered regions now, each counted once for every region.</summary>
    public int Pins { get { lock (_gate) return _slots.Sum(static r => r?.Pins ?? 0); } }

    /// <summary>Registers <c>[address, address + length)</c>, which must stay valid until <see cref="UnregisterAsync"/> completes.
    /// <paramref name="readGuard"/> is asked before every read by a peer, null lets all through; <paramref name="writeGuard"/> before
    /// every write, and must be there where peers may write. <paramref name="kind"/> null: the CUDA driver is asked, where there is one.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRegions"/> already.</exception>
    public MemoryRegion Register(string name, nint address, ulong length, RegionAccess access, IReadGuard? readGuard = null, IWriteGuard? writeGuard = null, MemoryKind? kind = null)
    {
        if (access.HasFlag(RegionAccess.PeersWrite) && writeGuard is null) throw new ArgumentException("a region that peers may write needs a write guard", nameof(writeGuard));
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfZero(address);
        ArgumentOutOfRangeException.ThrowIfZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, ulong.MaxValue - (ulong)address);
        var found = kind ?? CudaPointers.KindOf(address);
        lock (_gate)
        {
            var slot = _slots.IndexOf(null);
            if (slot < 0)
            {
                if (_slots.Count >= MaxRegions) throw new InvalidOperationException($"{MaxRegions} memory regions are registered already");
                slot = _slots.Count;
                _slots.Add(null);
                _generations.Add(0);
            }
            var region = new MemoryRegion(new((uint)slot, ++_generations[slot]), name, address, length, access, readGuard, writeGuard, found);
            _slots[slot] = region;
            Telemetry.RegionsChanged(1, length);
            return region;
        }
    }

    /// <summary>Withdraws a region: no transfer starts on it any more; completes when those in flight have ended. Idempotent.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up; the region stays withdrawn and its memory must not be freed yet.</exception>
    public Task UnregisterAsync(MemoryRegion region, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var slot = (int)region.Id.Slot;
            if (slot < _slots.Count && ReferenceEquals(_slots[slot], region))
            {
                _slots[slot] = null;
                Telemetry.RegionsChanged(-1, region.Length);
            }
        }
        return region.Close().WaitAsync(cancellationToken);
    }

    /// <returns><see cref="TransferCode.Ok"/>, <see cref="TransferCode.UnknownRegion"/> or <see cref="TransferCode.StaleRegion"/>.</returns>
    internal TransferCode Find(RegionId id, out MemoryRegion? region)
    {
        region = null;
        lock (_gate)
        {
            if (id.Slot >= _slots.Count || id.Generation == 0 || id.Generation > _generations[(int)id.Slot]) return TransferCode.UnknownRegion;
            if (_slots[(int)id.Slot] is not { } found || found.Id != id) return TransferCode.StaleRegion;
            region = found;
            return TransferCode.Ok;
        }
    }

    private static ulong NewIncarnation()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes) | 1;
    }
}
