using System.Security.Cryptography;
using NanoAspire.Engine;

namespace NanoAspire.TransferPeer;

/// <summary>KV memory without a model, mappable by other processes: every block has content of its own.</summary>
public sealed unsafe class PatternMemory : IKvMemory, IDisposable
{
    private readonly IDisposable _arena;

    public PatternMemory(int blockCount, int blockBytes = 4096, int blockSize = 16, string digest = "d1", int? seed = null, int stateBlocks = 0, bool ucx = false)
    {
        Layout = new() { Digest = digest, BlockSize = blockSize, BlockBytes = blockBytes, StateBlocks = stateBlocks };
        BlockCount = blockCount;
        (_arena, Address) = Transports.Allocate(ucx ? "ucx" : "shm", (long)blockCount * blockBytes);
        if (seed is { } first) for (var i = 0; i < blockCount; i++) new Random(first + i).NextBytes(Block(i));
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public nint Address { get; }

    public Span<byte> Block(int id) => new((byte*)Address + id * Layout.BlockBytes, (int)Layout.BlockBytes);

    public Span<byte> All => new((byte*)Address, checked((int)(BlockCount * Layout.BlockBytes)));

    /// <summary>Of all content.</summary>
    public string Digest() => Convert.ToHexString(SHA256.HashData(All));

    public void Dispose() => _arena.Dispose();
}
