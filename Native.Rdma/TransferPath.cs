namespace NanoAspire.Native.Rdma;

/// <summary>What was chosen to reach one region of one peer, and why.</summary>
/// <param name="Peer">Address of the peer.</param>
/// <param name="Region">Its region.</param>
/// <param name="Access"><c>read</c> or <c>write</c>.</param>
/// <param name="Path">What moves the bytes: <c>shm</c>, <c>ucx</c>, <c>tcp</c>.</param>
/// <param name="Reason">For people.</param>
public sealed record TransferPath(string Peer, RegionId Region, string Access, string Path, string Reason);
