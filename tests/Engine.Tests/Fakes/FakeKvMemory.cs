using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>KV memory whose "key and value" of a token are the token and its position: eight bytes a slot, so every misplaced write is visible.</summary>
internal sealed unsafe class FakeKvMemory : IKvMemory, IDisposable
{
    private byte* _memory;

    public FakeKvMemory(int blockCount, int blockSize)
    {
        BlockCount = blockCount;
        Layout = new() { Digest = "fake", BlockSize = blockSize, BlockBytes = blockSize * sizeof(long) };
        var bytes = (nuint)(blockCount * Layout.BlockBytes);
        _memory = (byte*)NativeMemory.Alloc(bytes);
        NativeMemory.Fill(_memory, bytes, 0xFF);           // what nobody wrote is token -1 at position -1
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public nint Address => (nint)_memory;

    public (int Token, int Position) this[int block, int slot]
    {
        get
        {
            var cells = Cells(block);
            return (cells[2 * slot], cells[2 * slot + 1]);
        }
        set
        {
            var cells = Cells(block);
            (cells[2 * slot], cells[2 * slot + 1]) = value;
        }
    }

    /// <summary>What a decode engine's puller does: writes a prompt's KV into the blocks that are not hits.</summary>
    public void Pull(IReadOnlyList<int> prompt, IReadOnlyList<int> blocks, int cachedBlocks)
    {
        for (var p = cachedBlocks * Layout.BlockSize; p < prompt.Count; p++) this[blocks[p / Layout.BlockSize], p % Layout.BlockSize] = (prompt[p], p);
    }

    /// <summary>The tokens found through a block table.</summary>
    public int[] Read(IReadOnlyList<int> blocks, int tokens) =>
        [.. Enumerable.Range(0, tokens).Select(p => this[blocks[p / Layout.BlockSize], p % Layout.BlockSize].Token)];

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }

    private Span<int> Cells(int block) => MemoryMarshal.Cast<byte, int>(((IKvMemory)this).Block(block));
}
