namespace NanoAspire.Engine.Kernels;

/// <summary>Plain rows, one after the other: latents, indexer keys, compressed entries. Row r of a block is at <c>r · Columns</c> elements.</summary>
/// <param name="Name">What the rows are; tells planes of equal shape apart in the layout digest.</param>
/// <param name="Columns">Elements a row.</param>
/// <param name="Rows">Rows a block: its tokens, or fewer where a row stands for several.</param>
/// <param name="Type">Of the elements.</param>
internal sealed record RowPlane(string Name, int Columns, int Rows, WeightType Type) : CachePlane
{
    private const int Alignment = 64;

    /// <summary>Row r is token r of the block, whatever its size; so not for rings and for rows that stand for several tokens.</summary>
    public bool OneRowAToken { get; init; }

    public override long Bytes => ((long)Rows * Columns * Type.Bytes() + Alignment - 1) / Alignment * Alignment;

    public override bool IsByToken(int blockSize) => OneRowAToken && Rows == blockSize;

    public override unsafe bool TryCopyTokens(byte* from, int fromSlot, CachePlane other, byte* to, int toSlot, int count)
    {
        if (!OneRowAToken || other != this with { Rows = ((RowPlane)other).Rows }) return false;
        var row = (long)Columns * Type.Bytes();
        Buffer.MemoryCopy(from + (fromSlot * row), to + (toSlot * row), count * row, count * row);
        return true;
    }
}

/// <summary>A row plane in the block pool.</summary>
/// <param name="Base">Start of block 0 in the pool.</param>
/// <param name="BlockBytes">From one block to the next.</param>
/// <param name="Offset">Of the plane within a block.</param>
/// <param name="Plane">Its shape.</param>
internal readonly record struct LayerRows(nint Base, long BlockBytes, long Offset, RowPlane Plane)
{
    public unsafe byte* Row(int block, int row) => (byte*)Base + block * BlockBytes + Offset + (long)row * Plane.Columns * Plane.Type.Bytes();
}
