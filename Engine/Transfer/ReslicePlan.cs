using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>Which blocks of a ticket are read in which portions, and where their tokens go.</summary>
internal sealed class ReslicePlan
{
    private readonly int[] _local;
    private readonly int _cached, _tokens;

    public ReslicePlan(KvReslicer reslicer, HandoffTicket ticket, KvReservation local, long stagingBytes)
    {
        (Reslicer, _local, _cached, _tokens) = (reslicer, [.. local.Blocks], local.CachedBlocks, ticket.PromptTokens);
        var source = reslicer.Source;
        var needed = Blocks(_tokens, reslicer.DestinationBlockSize) + reslicer.DestinationStateBlocks;
        ArgumentOutOfRangeException.ThrowIfLessThan(_local.Length, needed, nameof(local));

        var portion = (int)Math.Clamp(stagingBytes / source.BlockBytes, 1, int.MaxValue);
        var end = Blocks(_tokens, source.BlockSize);
        List<Part> parts = [];
        for (var first = Math.Min(_cached * reslicer.DestinationBlockSize / source.BlockSize, end); first < end; first += portion)
        {
            if (_cached * (long)reslicer.DestinationBlockSize >= _tokens) break;
            parts.Add(new(first, Math.Min(portion, end - first), IsState: false));
        }
        if (source.StateBlocks > 0) parts.Add(new(end, source.StateBlocks, IsState: true));
        Parts = parts;
        StagingBlocks = parts.Count == 0 ? 0 : parts.Max(static p => p.Count);
        SourceBlocks = parts.Sum(static p => p.Count);
    }

    /// <param name="First">Index in the ticket's list of blocks.</param>
    /// <param name="Count">Blocks.</param>
    /// <param name="IsState">The recurrent state, not tokens.</param>
    public readonly record struct Part(int First, int Count, bool IsState);

    public KvReslicer Reslicer { get; }
    public IReadOnlyList<Part> Parts { get; }
    /// <summary>Blocks of the largest part.</summary>
    public int StagingBlocks { get; }
    /// <summary>Blocks of all parts.</summary>
    public int SourceBlocks { get; }

    /// <summary>Takes a part that was read and verified apart; cached blocks are left alone.</summary>
    public void Scatter(Part part, IKvMemory staging, IKvMemory destination)
    {
        if (part.IsState)
        {
            Reslicer.CopyState(staging, 0, destination, _local[^Reslicer.DestinationStateBlocks]);
            return;
        }
        var (sourceSize, size) = (Reslicer.Source.BlockSize, Reslicer.DestinationBlockSize);
        for (var i = 0; i < part.Count; i++)
        {
            for (var slot = 0; slot < sourceSize; slot += Reslicer.Chunk)
            {
                var token = ((part.First + i) * sourceSize) + slot;
                if (token >= _tokens || token / size < _cached) continue;
                Reslicer.CopyChunk(staging.Block(i), slot, destination.Block(_local[token / size]), token % size);
            }
        }
    }

    private static int Blocks(int tokens, int size) => (tokens + size - 1) / size;
}
