using System.Runtime.InteropServices;
using NanoAspire.Engine;

namespace NanoAspire.TransferPeer;

/// <summary>KV memory without a model: every block has content of its own.</summary>
public sealed unsafe class PatternMemory : IKvMemory, IDisposable
{
    private readonly byte* _bytes;

    public PatternMemory(int blockCount, int blockBytes = 4096, int blockSize = 16, string digest = "d1", int? seed = null)
    {
        Layout = new() { Digest = digest, BlockSize = blockSize, BlockBytes = blockBytes };
        BlockCount = blockCount;
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)((long)blockCount * blockBytes), 4096);
        if (seed is null) NativeMemory.Clear(_bytes, (nuint)((long)blockCount * blockBytes));
        else for (var i = 0; i < blockCount; i++) new Random(seed.Value + i).NextBytes(Block(i));
    }

    public KvLayout Layout { get; }
    public int BlockCount { get; }
    public nint Address => (nint)_bytes;

    public Span<byte> Block(int id) => new(_bytes + id * Layout.BlockBytes, (int)Layout.BlockBytes);

    public void Dispose() => NativeMemory.AlignedFree(_bytes);
}
