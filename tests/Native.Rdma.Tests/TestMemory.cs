using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>Native memory with a pattern of its own, and how to look at it.</summary>
internal sealed unsafe class TestMemory : IDisposable
{
    private readonly byte* _bytes;
    private readonly SharedArena? _arena;

    public TestMemory(int length, bool shared = false)
    {
        _arena = shared ? SharedArena.Allocate(length) : null;
        _bytes = shared ? (byte*)_arena!.Address : (byte*)NativeMemory.AlignedAlloc((nuint)length, 64);
        Length = length;
        Span.Clear();
    }

    public static TestMemory WithPattern(int length, int seed = 1, bool shared = false)
    {
        var memory = new TestMemory(length, shared);
        new Random(seed).NextBytes(memory.Span);
        return memory;
    }

    public int Length { get; }
    public nint Address => (nint)_bytes;
    public Span<byte> Span => new(_bytes, Length);

    public MemoryRegion Export(RegionRegistry registry, IReadGuard? guard = null) =>
        registry.Register("source", Address, (ulong)Length, RegionAccess.PeersRead, guard);

    public MemoryRegion Register(RegionRegistry registry) =>
        registry.Register("destination", Address, (ulong)Length, RegionAccess.Local);

    public void Dispose()
    {
        if (_arena is null) NativeMemory.AlignedFree(_bytes);
        else _arena.Dispose();
    }
}
