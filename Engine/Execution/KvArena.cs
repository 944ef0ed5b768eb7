using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Engine.Execution;

/// <summary>
/// The paged KV pool in native memory, blocks one after the other, each with the planes of all layers; after them the state slots. Starts
/// zeroed. Owns the memory.
/// </summary>
internal sealed unsafe class KvArena : IKvMemory, IDisposable
{
    private readonly CacheGeometry _geometry;
    private readonly IDisposable _memory;
    private readonly Func<int, CacheGeometry>? _resized;

    /// <param name="geometry">What a block and a slot hold.</param>
    /// <param name="layout">The same for those who only move blocks.</param>
    /// <param name="kvBlocks">Blocks for tokens.</param>
    /// <param name="stateSlots">States of as many sequences.</param>
    /// <param name="shareable">In memory that other processes can map, where there is such memory.</param>
    /// <param name="byUcx">In memory that UCX allocates, where it can.</param>
    /// <param name="resized">The geometry of the same model for other block sizes; null: blocks of other sizes are not taken.</param>
    public KvArena(CacheGeometry geometry, KvLayout layout, int kvBlocks, int stateSlots = 0, bool shareable = false, bool byUcx = false, Func<int, CacheGeometry>? resized = null)
    {
        _resized = resized;
        (_geometry, Layout, StateSlots, BlockCount) = (geometry, layout, stateSlots, checked(kvBlocks + stateSlots * layout.StateBlocks));
        var bytes = BlockCount * geometry.BlockBytes;
        if (byUcx && UcxArena.TryAllocate(bytes, out _) is { } ucx)
        {
            (_memory, Address) = (ucx, ucx.Address);
        }
        else if (shareable && SharedArena.TryAllocate(bytes) is { } shared)
        {
            (_memory, Address) = (shared, shared.Address);
        }
        else
        {
            var buffer = new NativeBuffer(bytes);
            (_memory, Address) = (buffer, (nint)buffer.Address);
        }
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public int StateSlots { get; }
    public int KvBlocks => BlockCount - StateSlots * Layout.StateBlocks;
    public nint Address { get; }

    KvReslicer? IKvMemory.Reslicer(int sourceBlockSize) => _resized is null ? null : KvReslicer.TryCreate(_resized, sourceBlockSize, _geometry, Layout);

    /// <summary>The keys and values that plane <paramref name="plane"/> holds.</summary>
    public LayerKv Layer(int plane) => ((KvGeometry)_geometry.Planes[plane]).At(Address, _geometry.BlockBytes, _geometry.Offset(plane));

    /// <summary>The rows that plane <paramref name="plane"/> holds.</summary>
    public LayerRows Rows(int plane) => new(Address, _geometry.BlockBytes, _geometry.Offset(plane), (RowPlane)_geometry.Planes[plane]);

    /// <summary>What state <paramref name="state"/> keeps of every sequence.</summary>
    public LayerState State(int state) =>
        new(Address + (nint)(KvBlocks * _geometry.BlockBytes), Layout.StateBlocks * _geometry.BlockBytes, _geometry.StateOffset(state), _geometry.States[state]);

    public void Dispose() => _memory.Dispose();
}
