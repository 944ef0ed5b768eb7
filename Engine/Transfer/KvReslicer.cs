using NanoAspire.Engine.Kernels;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>
/// Takes blocks of one size apart into blocks of another: sizes of which one is a multiple of the other, and models that keep everything by
/// token. Recurrent states move whole: how many blocks they lie in differs, their bytes do not.
/// </summary>
internal sealed unsafe class KvReslicer
{
    /// <summary>Larger ones come from a ticket that nobody here wrote.</summary>
    private const int MaxBlockSize = 1 << 16;
    private const int Panel = KvGeometry.Panel;

    private readonly CacheGeometry _source, _destination;

    private KvReslicer(CacheGeometry source, CacheGeometry destination, KvLayout layout)
    {
        (_source, _destination) = (source, destination);
        Source = new() { Digest = layout.Digest, BlockSize = source.BlockSize, BlockBytes = source.BlockBytes, StateBlocks = source.StateBlocks };
        Chunk = Math.Min(source.BlockSize, destination.BlockSize);
    }

    /// <summary>What the blocks of the source are like.</summary>
    public KvLayout Source { get; }

    /// <summary>Tokens that lie in one block on both sides.</summary>
    public int Chunk { get; }

    public int DestinationBlockSize => _destination.BlockSize;
    public int DestinationStateBlocks => _destination.StateBlocks;

    /// <summary>Null when blocks of that size cannot be taken.</summary>
    public static KvReslicer? TryCreate(Func<int, CacheGeometry> resized, int sourceBlockSize, CacheGeometry destination, KvLayout layout)
    {
        if (sourceBlockSize is < Panel or > MaxBlockSize || sourceBlockSize % Panel != 0 || !destination.IsByToken) return null;
        if (OddPart(sourceBlockSize) != OddPart(destination.BlockSize)) return null;
        var source = resized(sourceBlockSize);
        return source.IsByToken && source.Planes.Count == destination.Planes.Count && source.StateBytes == destination.StateBytes ? new(source, destination, layout) : null;
    }

    /// <summary>
    /// The geometry's text for the layout digest: the same for all block sizes that can be taken apart into each other, so that engines which
    /// understand one another are paired, and others never.
    /// </summary>
    public static string Canonical(CacheGeometry geometry, Func<int, CacheGeometry> resized) =>
        geometry.IsByToken && geometry.BlockSize % Panel == 0 ? resized(Panel * OddPart(geometry.BlockSize)).ToString() : geometry.ToString();

    /// <summary>What of a ticket has to be read, and where it goes.</summary>
    public ReslicePlan Plan(HandoffTicket ticket, KvReservation local, long stagingBytes) => new(this, ticket, local, stagingBytes);

    /// <summary>Copies <see cref="Chunk"/> tokens.</summary>
    public void CopyChunk(Span<byte> from, int fromSlot, Span<byte> to, int toSlot)
    {
        fixed (byte* source = from, destination = to)
        {
            for (var plane = 0; plane < _source.Planes.Count; plane++)
            {
                if (!_source.Planes[plane].TryCopyTokens(
                    source + _source.Offset(plane), fromSlot, _destination.Planes[plane], destination + _destination.Offset(plane), toSlot, Chunk))
                {
                    throw new InvalidOperationException($"plane {plane} differs between block sizes by more than their tokens");
                }
            }
        }
    }

    /// <summary>Copies a recurrent state from the first of its blocks to the first of its blocks.</summary>
    public void CopyState(IKvMemory from, int fromBlock, IKvMemory to, int toBlock) => Buffer.MemoryCopy(
        (byte*)from.Address + (fromBlock * from.Layout.BlockBytes), (byte*)to.Address + (toBlock * to.Layout.BlockBytes), _source.StateBytes, _source.StateBytes);

    /// <summary>Of the number of panels in a block: sizes with the same one are each other's multiples.</summary>
    private static int OddPart(int blockSize)
    {
        var panels = blockSize / Panel;
        return panels >> System.Numerics.BitOperations.TrailingZeroCount(panels);
    }
}
