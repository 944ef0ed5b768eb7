using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>Maps memory of other processes of this machine and copies.</summary>
/// <param name="copyThreads">Threads that copy one frame.</param>
internal sealed class MappedPath(int copyThreads) : IOneSidedPath
{
    public const byte WireKind = 0;

    public byte Kind => WireKind;
    public string Name => "shm";

    public byte[]? Describe(MemoryRegion region) => RegionDescription.Of(region)?.ToBytes();

    public void Hold(bool hold)
    {
        // Nothing here ever runs on behalf of a peer.
    }

    public Task<(IRemoteMemory? Memory, string Reason)> OpenAsync(byte[] description, bool writes, CancellationToken cancellationToken)
    {
        if (description.Length != RegionDescription.Bytes) throw new TransferException(TransferCode.Protocol, $"a region description of {description.Length} bytes");
        var memory = MappedMemory.TryOpen(RegionDescription.Read(description), writes, copyThreads, out var reason);
        return Task.FromResult<(IRemoteMemory?, string)>((memory, reason ?? "same machine: mapped, one copy"));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
