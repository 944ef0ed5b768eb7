using NanoAspire.Engine;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.TransferPeer;

/// <summary>KV memory without a model, mappable by other processes: every block has content of its own.</summary>
public sealed unsafe class PatternMemory : IKvMemory, IDisposable
{
    private readonly IDisposable _arena;

    public PatternMemory(int blockCount, int blockBytes = 4096, int blockSize = 16, string digest = "d1", int? seed = null, int stateBlocks = 0, bool ucx = false)
    {
        Layout = new() { Digest = digest, BlockSize = blockSize, BlockBytes = blockBytes, StateBlocks = stateBlocks };
        BlockCount = blockCount;
        var bytes = (long)blockCount * blockBytes;
        if (ucx)
        {
            var arena = UcxArena.TryAllocate(bytes, out var reason) ?? throw new InvalidOperationException(reason);
            (_arena, Address) = (arena, arena.Address);
        }
        else
        {
            var arena = SharedArena.Allocate(bytes);
            (_arena, Address) = (arena, arena.Address);
        }
        if (seed is { } first) for (var i = 0; i < blockCount; i++) new Random(first + i).NextBytes(Block(i));
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public nint Address { get; }

    public Span<byte> Block(int id) => new((byte*)Address + id * Layout.BlockBytes, (int)Layout.BlockBytes);

    public void Dispose() => _arena.Dispose();
}
