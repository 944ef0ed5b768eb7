namespace NanoAspire.Engine.Kernels;

/// <summary>
/// One layer's keys and values inside the block pool, as panels of 16 columns like the weights: keys K[head][slot / 16][dim][slot % 16],
/// because a score tile runs along the slots; values V[head][dim / 16][slot][dim % 16], because an output tile runs along the dims.
/// Both are read as sequential streams and add up in one fixed order: dims ascending for a score, positions ascending for an output.
/// E4M3 rows have a power of two each, one byte (the exponent of a float32), for keys and values: [head][slot].
/// </summary>
/// <param name="Base">Start of block 0 in the pool.</param>
/// <param name="BlockBytes">From one block to the next.</param>
/// <param name="KeyOffset">Of this layer's keys within a block.</param>
/// <param name="ValueOffset">Of this layer's values within a block.</param>
/// <param name="Geometry">Shared by all layers.</param>
internal readonly record struct LayerKv(nint Base, long BlockBytes, long KeyOffset, long ValueOffset, KvGeometry Geometry)
{
    public unsafe byte* Key(int block, int head) => (byte*)Base + block * BlockBytes + KeyOffset + head * Geometry.HeadBytes;
    /// <summary>Exponents of the keys of a head; those of its values are <see cref="KvGeometry.ScaleBytes"/> further on.</summary>
    public unsafe byte* KeyScales(int block, int head) => (byte*)Base + block * BlockBytes + ValueOffset + Geometry.Heads * Geometry.HeadBytes + head * Geometry.BlockSize;
    public unsafe byte* ValueScales(int block, int head) => KeyScales(block, head) + Geometry.ScaleBytes;
    public unsafe byte* Value(int block, int head) => (byte*)Base + block * BlockBytes + ValueOffset + head * Geometry.HeadBytes;
}

/// <summary>Keys and values of one attention layer with heads of their own (MHA, GQA) in one block.</summary>
internal sealed record KvGeometry(int Heads, int HeadDim, int BlockSize, WeightType Type) : CachePlane
{
    /// <summary>Columns of a panel; block sizes are multiples of it, and head dims are padded to one.</summary>
    public const int Panel = 16;

    /// <summary>Keys (or values) of one head in one block, the values' last panel whole.</summary>
    public long HeadBytes => (HeadDim + Panel - 1L) / Panel * Panel * BlockSize * Type.Bytes();
    /// <summary>Exponents of the keys (or values) of all heads in one block; 0 unless they are E4M3.</summary>
    public long ScaleBytes => Type == WeightType.E4M3 ? (long)Heads * BlockSize : 0;
    public override long Bytes => (2 * (Heads * HeadBytes + ScaleBytes) + 63) / 64 * 64;

    public override bool IsByToken(int blockSize) => BlockSize == blockSize;

    /// <summary>Panels of 16 slots move whole; the values of 16 dims lie together, so they move one such panel at a time.</summary>
    public override unsafe bool TryCopyTokens(byte* from, int fromSlot, CachePlane other, byte* to, int toSlot, int count)
    {
        if (other is not KvGeometry target || target with { BlockSize = BlockSize } != this) return false;
        var element = Type.Bytes();
        long slot = (long)HeadDim * element, panel = Panel * element;
        for (var head = 0; head < Heads; head++)
        {
            Copy(from + (head * HeadBytes) + (fromSlot * slot), to + (head * target.HeadBytes) + (toSlot * slot), count * slot);
            var values = from + ((Heads + head) * HeadBytes) + (fromSlot * panel);
            var into = to + ((Heads + head) * target.HeadBytes) + (toSlot * panel);
            for (var dims = 0; dims < (HeadDim + Panel - 1) / Panel; dims++)
                Copy(values + (dims * BlockSize * panel), into + (dims * target.BlockSize * panel), count * panel);
        }
        if (ScaleBytes == 0) return true;
        for (var row = 0; row < 2 * Heads; row++)
            Copy(from + (2 * Heads * HeadBytes) + ((long)row * BlockSize) + fromSlot, to + (2 * Heads * target.HeadBytes) + ((long)row * target.BlockSize) + toSlot, count);
        return true;
    }

    private static unsafe void Copy(byte* from, byte* to, long bytes) => Buffer.MemoryCopy(from, to, bytes, bytes);

    public LayerKv At(nint pool, long blockBytes, long offset) => new(pool, blockBytes, offset, offset + Heads * HeadBytes, this);
}
