using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Execution;

/// <summary>The paged KV pool in native memory, blocks one after the other, each with all layers: [layer][k ‖ v][kv head][…]. Starts zeroed. Owns the memory.</summary>
internal sealed unsafe class KvArena(KvGeometry geometry, KvLayout layout, int blockCount) : IKvMemory, IDisposable
{
    private readonly NativeBuffer _memory = new(blockCount * geometry.BlockBytes);

    public KvLayout Layout => layout;
    public int BlockCount => blockCount;
    public nint Address => (nint)_memory.Address;

    public LayerKv Layer(int layer) => geometry.Layer(Address, layer);

    public void Dispose() => _memory.Dispose();
}
