using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Speculation;

/// <summary>Which places of a sequence have keys of the draft module: [<see cref="First"/>, end), beginning with a block.</summary>
internal sealed class DraftContext
{
    private int _end;

    /// <summary>A multiple of the block size.</summary>
    public int First { get; private set; }

    /// <summary>Before places from <paramref name="start"/> on are written: keeps what joins them, and looks for more in blocks that were hit.</summary>
    public void Include(int start, BlockTable table, int blockSize)
    {
        if (start <= _end) return;
        var block = (start + blockSize - 1) / blockSize;
        First = block * blockSize;
        if (start == First) while (First > 0 && table.Pool.IsDrafted(table.Blocks[First / blockSize - 1])) First -= blockSize;
        _end = start;
    }

    /// <summary>All places before <paramref name="end"/> are written.</summary>
    public void Written(int end, BlockTable table, int blockSize)
    {
        for (var block = Math.Max(First, _end / blockSize * blockSize) / blockSize; (block + 1) * blockSize <= end; block++) table.Pool.MarkDrafted(table.Blocks[block]);
        _end = Math.Max(_end, end);
    }

    /// <summary>The blocks are gone.</summary>
    public void Reset() => (First, _end) = (0, 0);
}
