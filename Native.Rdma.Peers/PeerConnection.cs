namespace NanoAspire.Native.Rdma.Peers;

/// <summary>A wanted connection at one moment.</summary>
/// <param name="Peer">Alias.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Target">Address and incarnation it is (or would be) connected to; null while <see cref="PeerState.Waiting"/>.</param>
/// <param name="Transport">What the peer's agent uses.</param>
/// <param name="Attempts">Failed attempts since it was connected last.</param>
/// <param name="Cause">Why it is not connected; null when it is.</param>
public sealed record PeerConnection(string Peer, PeerState State, TransferPeer? Target, string? Transport, int Attempts, string? Cause);
