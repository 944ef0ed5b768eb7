namespace NanoAspire.Engine;

/// <summary>
/// Shape of the KV memory: one contiguous range a block that holds all layers, so a block is one transfer and one checksum.
/// Two engines may exchange blocks only when their <see cref="Digest"/> is the same.
/// </summary>
public sealed record KvLayout
{
    /// <summary>
    /// Covers the model's weights and configuration, compute and cache dtype, and block geometry; lower-case hex. Where blocks can be taken
    /// apart by token, sizes that are each other's multiple by powers of two share a digest.
    /// </summary>
    public required string Digest { get; init; }
    /// <summary>Tokens a block.</summary>
    public required int BlockSize { get; init; }
    /// <summary>Bytes a block, all layers.</summary>
    public required long BlockBytes { get; init; }
    /// <summary>Blocks that the recurrent state of one sequence takes; 0 for models whose whole past is in the blocks of its tokens.</summary>
    public int StateBlocks { get; init; }
}

/// <summary>
/// The memory behind the KV blocks. Block <c>i</c> starts at <c>Address + i * Layout.BlockBytes</c>; the owner frees it. The last
/// <c>StateSlots * Layout.StateBlocks</c> blocks are no token's: they hold recurrent states, and travel like any other block.
/// </summary>
public interface IKvMemory
{
    KvLayout Layout { get; }
    /// <summary>All of them, those of the state slots included.</summary>
    int BlockCount { get; }
    /// <summary>Sequences whose recurrent state there is room for.</summary>
    int StateSlots => 0;
    /// <summary>Blocks for tokens.</summary>
    int KvBlocks => BlockCount - StateSlots * Layout.StateBlocks;
    nint Address { get; }

    /// <summary>How blocks of another size are taken apart into blocks of this memory; null when they cannot be.</summary>
    /// <param name="sourceBlockSize">Tokens a block there.</param>
    internal Transfer.KvReslicer? Reslicer(int sourceBlockSize) => null;

    long Length => BlockCount * Layout.BlockBytes;
    unsafe Span<byte> Block(int id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)BlockCount, nameof(id));
        return new((byte*)Address + id * Layout.BlockBytes, checked((int)Layout.BlockBytes));
    }
}
