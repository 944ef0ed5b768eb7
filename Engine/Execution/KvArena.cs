using NanoAspire.Engine.Kernels;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Engine.Execution;

/// <summary>The paged KV pool in native memory, blocks one after the other, each with the planes of all layers. Starts zeroed. Owns the memory.</summary>
internal sealed unsafe class KvArena : IKvMemory, IDisposable
{
    private readonly CacheGeometry _geometry;
    private readonly IDisposable _memory;

    public KvArena(CacheGeometry geometry, KvLayout layout, int blockCount, bool shareable = false)
    {
        (_geometry, Layout, BlockCount) = (geometry, layout, blockCount);
        var bytes = blockCount * geometry.BlockBytes;
        if (shareable && SharedArena.TryAllocate(bytes) is { } shared)
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
    public nint Address { get; }

    /// <summary>The keys and values that plane <paramref name="plane"/> holds.</summary>
    public LayerKv Layer(int plane) => ((KvGeometry)_geometry.Planes[plane]).At(Address, _geometry.BlockBytes, _geometry.Offset(plane));

    /// <summary>The rows that plane <paramref name="plane"/> holds.</summary>
    public LayerRows Rows(int plane) => new(Address, _geometry.BlockBytes, _geometry.Offset(plane), (RowPlane)_geometry.Planes[plane]);

    public void Dispose() => _memory.Dispose();
}
