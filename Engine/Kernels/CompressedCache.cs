namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Rows that each stand for <see cref="Ratio"/> tokens. Entry e is made when position (e + 1)·ratio − 1 is known and lies in that position's
/// block, so a full block keeps all that its tokens completed: a prefix hit, a hand-off or a roll-back needs nothing else.
/// </summary>
/// <param name="Cache">The plane; <see cref="RowsPerBlock"/> rows a block.</param>
/// <param name="BlockSize">Tokens a block; need not be a multiple of the ratio, nor the ratio of it.</param>
/// <param name="Ratio">Tokens an entry; 1: a row a token.</param>
internal readonly record struct EntryCache(CachedRows Cache, int BlockSize, int Ratio)
{
    public static int RowsPerBlock(int blockSize, int ratio) => (blockSize + ratio - 1) / ratio;

    /// <summary>Entries that a token at <paramref name="position"/> may see, itself included.</summary>
    public int Visible(int position) => (position + 1) / Ratio;

    /// <param name="blocks">The sequence's block table.</param>
    /// <param name="entry">Its number, from the start of the sequence.</param>
    public unsafe byte* Row(ReadOnlySpan<int> blocks, int entry)
    {
        var block = ((entry + 1) * Ratio - 1) / BlockSize;
        return Cache.Rows.Row(blocks[block], entry - block * BlockSize / Ratio);
    }
}

/// <summary>
/// What a token puts into the entries that are still open: its values and gates. Only the last few tokens of a block are ever looked
/// back at, so a block keeps a ring of them. float32 whatever the cache's type: a token pooled from the ring and one pooled in
/// the step that computed it must give the same bits.
/// </summary>
/// <param name="Rows">The plane; a ring of its rows a block.</param>
/// <param name="BlockSize">Tokens a block.</param>
internal readonly record struct InputRing(LayerRows Rows, int BlockSize)
{
    /// <summary>Tokens that may be taken back and written anew without losing what an open entry needs.</summary>
    public const int Rollback = 8;

    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="reach">Tokens that an entry is made of.</param>
    public static int RowsPerBlock(int blockSize, int reach) => Math.Min(blockSize, reach + Rollback);

    public unsafe float* Row(ReadOnlySpan<int> blocks, int position) =>
        (float*)Rows.Row(blocks[position / BlockSize], position % BlockSize % Rows.Plane.Rows);
}

/// <summary>The weights and shape of one compressor: how <see cref="Ratio"/> tokens become one row.</summary>
/// <param name="Ratio">Tokens an entry.</param>
/// <param name="Columns">Of an entry.</param>
/// <param name="Overlap">Entries also look at the tokens of the entry before: a token has two values and gates, [for the next entry ‖ for its own].</param>
/// <param name="PositionBias">[ratio, columns or twice as many]: added to the gates by place in the entry.</param>
/// <param name="Norm">[columns]</param>
/// <param name="Epsilon">Of the norm.</param>
/// <param name="Rope">Rotation of the entry's last columns at the position of its first token.</param>
internal sealed record Compressor(int Ratio, int Columns, bool Overlap, Tensor PositionBias, Tensor Norm, float Epsilon, RopeFrequencies Rope)
{
    /// <summary>Values of a token; its gates are as many.</summary>
    public int InputColumns => Overlap ? 2 * Columns : Columns;
}
