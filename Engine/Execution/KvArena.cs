using NanoAspire.Engine.Kernels;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Engine.Execution;

/// <summary>The paged KV pool in native memory, blocks one after the other, each with all layers: [layer][k ‖ v][kv head][…]. Starts zeroed. Owns the memory.</summary>
internal sealed unsafe class KvArena : IKvMemory, IDisposable
{
    private readonly KvGeometry _geometry;
    private readonly IDisposable _memory;

    public KvArena(KvGeometry geometry, KvLayout layout, int blockCount, bool shareable = false)
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

    public LayerKv Layer(int layer) => _geometry.Layer(Address, layer);

    public void Dispose() => _memory.Dispose();
}
