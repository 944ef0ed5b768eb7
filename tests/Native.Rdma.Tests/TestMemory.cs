using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>Native memory with a pattern of its own, and how to look at it.</summary>
internal sealed unsafe class TestMemory : IDisposable
{
    private readonly byte* _bytes;

    public TestMemory(int length, byte fill = 0)
    {
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)length, 64);
        Length = length;
        Span.Fill(fill);
    }

    public static TestMemory WithPattern(int length, int seed = 1)
    {
        var memory = new TestMemory(length);
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

    public void Dispose() => NativeMemory.AlignedFree(_bytes);
}
