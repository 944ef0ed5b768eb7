namespace NanoAspire.Native.Rdma.Peers;

/// <summary>A region that a peer published.</summary>
/// <param name="Id">At the peer, in its present incarnation.</param>
/// <param name="Length">Bytes.</param>
public sealed record PeerRegion(RegionId Id, ulong Length);
