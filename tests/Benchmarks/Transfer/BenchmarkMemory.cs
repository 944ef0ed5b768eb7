using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>What an engine with this transport keeps its blocks in.</summary>
internal sealed class BenchmarkMemory(nint address, long length, IDisposable owner) : IDisposable
{
    public nint Address => address;
    public long Length => length;

    /// <exception cref="IOException">There is no such memory here.</exception>
    public static BenchmarkMemory Allocate(long bytes, string transport)
    {
        if (transport == "ucx")
        {
            var ucx = UcxArena.TryAllocate(bytes, out var reason) ?? throw new IOException(reason);
            return new(ucx.Address, bytes, ucx);
        }
        var shared = SharedArena.Allocate(bytes);
        return new(shared.Address, bytes, shared);
    }

    public void Dispose() => owner.Dispose();
}
