using System.Runtime.InteropServices;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>Native memory with a pattern of its own, and how to look at it.</summary>
internal sealed unsafe class TestMemory : IDisposable
{
    private readonly byte* _bytes;
    private readonly IDisposable? _arena;

    private TestMemory(int length, nint address, IDisposable? arena)
    {
        (Length, _arena) = (length, arena);
        _bytes = (byte*)address;
        Span.Clear();
    }

    public TestMemory(int length) : this(length, (nint)NativeMemory.AlignedAlloc((nuint)length, 64), arena: null)
    {
    }

    /// <summary>Mappable by other processes.</summary>
    public static TestMemory Shared(int length)
    {
        var arena = SharedArena.Allocate(length);
        return new(length, arena.Address, arena);
    }

    /// <summary>Allocated by UCX.</summary>
    public static TestMemory Ucx(int length)
    {
        var arena = UcxArena.TryAllocate(length, out var reason);
        Assert.True(arena is not null, reason);
        return new(length, arena.Address, arena);
    }

    public static TestMemory WithPattern(int length, int seed = 1) => new TestMemory(length).Fill(seed);

    public TestMemory Fill(int seed = 1)
    {
        new Random(seed).NextBytes(Span);
        return this;
    }

    public int Length { get; }
    public nint Address => (nint)_bytes;
    public Span<byte> Span => new(_bytes, Length);

    public MemoryRegion Export(RegionRegistry registry, IReadGuard? guard = null) =>
        registry.Register("source", Address, (ulong)Length, RegionAccess.PeersRead, guard);

    /// <summary>To be read and written by peers, as far as the guards agree.</summary>
    public MemoryRegion Open(RegionRegistry registry, IReadGuard? readGuard, IWriteGuard writeGuard) =>
        registry.Register("target", Address, (ulong)Length, RegionAccess.PeersRead | RegionAccess.PeersWrite, readGuard, writeGuard);

    public MemoryRegion Register(RegionRegistry registry) =>
        registry.Register("destination", Address, (ulong)Length, RegionAccess.Local);

    public void Dispose()
    {
        if (_arena is null) NativeMemory.AlignedFree(_bytes);
        else _arena.Dispose();
    }
}
