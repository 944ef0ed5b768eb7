using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>
/// KV memory whose "key and value" of a token are the token and its position: eight bytes a slot, so every misplaced write is visible. A
/// recurrent state, where there are slots for it, is a hash of the tokens so far and their number.
/// </summary>
internal sealed unsafe class FakeKvMemory : IKvMemory, IDisposable
{
    private byte* _memory;

    public FakeKvMemory(int blockCount, int blockSize, int stateSlots = 0)
    {
        var stateBlocks = stateSlots == 0 ? 0 : (2 * sizeof(long) + blockSize * sizeof(long) - 1) / (blockSize * sizeof(long));
        (BlockCount, StateSlots) = (blockCount + stateSlots * stateBlocks, stateSlots);
        Layout = new() { Digest = "fake", BlockSize = blockSize, BlockBytes = blockSize * sizeof(long), StateBlocks = stateBlocks };
        var bytes = (nuint)(BlockCount * Layout.BlockBytes);
        _memory = (byte*)NativeMemory.Alloc(bytes);
        NativeMemory.Fill(_memory, bytes, 0xFF);           // what nobody wrote is token -1 at position -1
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public int StateSlots { get; }
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

    public (ulong Hash, long Tokens) State(int slot)
    {
        var cells = StateCells(slot);
        return (cells[0], (long)cells[1]);
    }

    public void SetState(int slot, ulong hash, long tokens)
    {
        var cells = StateCells(slot);
        (cells[0], cells[1]) = (hash, (ulong)tokens);
    }

    /// <summary>The slot whose blocks stand behind a prompt's.</summary>
    public int SlotOf(IReadOnlyList<int> blocks, int tokens)
    {
        var first = blocks[(tokens + Layout.BlockSize - 1) / Layout.BlockSize];
        Assert.Equal(Enumerable.Range(first, Layout.StateBlocks), blocks.Skip((tokens + Layout.BlockSize - 1) / Layout.BlockSize));
        return (first - ((IKvMemory)this).KvBlocks) / Layout.StateBlocks;
    }

    /// <summary>What a decode engine's puller does: writes a prompt's KV into the blocks that are not hits, and its state.</summary>
    public void Pull(IReadOnlyList<int> prompt, IReadOnlyList<int> blocks, int cachedBlocks)
    {
        if (StateSlots > 0) SetState(SlotOf(blocks, prompt.Count), prompt.Aggregate(0UL, FakeRunner.Mix), prompt.Count);
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

    private Span<ulong> StateCells(int slot)
    {
        var memory = (IKvMemory)this;
        Assert.InRange(slot, 0, StateSlots - 1);
        return new((byte*)Address + (memory.KvBlocks + slot * Layout.StateBlocks) * Layout.BlockBytes, 2);
    }

    private Span<int> Cells(int block) => MemoryMarshal.Cast<byte, int>(((IKvMemory)this).Block(block));
}
