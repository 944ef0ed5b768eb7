using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Transfer;

/// <summary>Blocks in the shape of the source, on their way into blocks of another size. Owns its memory.</summary>
internal sealed unsafe class StagingMemory : IKvMemory, IDisposable
{
    private const int Alignment = 64;

    private void* _memory;

    public StagingMemory(KvLayout layout, int blocks)
    {
        (Layout, BlockCount) = (layout, blocks);
        _memory = NativeMemory.AlignedAlloc(checked((nuint)(blocks * layout.BlockBytes)), Alignment);
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public nint Address => (nint)_memory;

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
