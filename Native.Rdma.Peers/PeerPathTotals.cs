namespace NanoAspire.Native.Rdma.Peers;

/// <summary>What one way has moved (<c>shm</c>, <c>ucx</c>, <c>tcp</c>): which card carried it only UCX and the kernel know.</summary>
public sealed record PeerPathTotals
{
    public long Assign { get; init; }
    public long Batch { get; init; }
    public long CompletedBytes { get; init; }
    public long FailedBytes { get; init; }
    public long Errors { get; init; }
}
