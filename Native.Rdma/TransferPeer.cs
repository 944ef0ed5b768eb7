namespace NanoAspire.Native.Rdma;

/// <summary>Where a source listens and which run of it is meant.</summary>
/// <param name="Address">The transport's own addressing, e.g. <c>127.0.0.1:40123</c>.</param>
/// <param name="Incarnation">Incarnation of the source's <see cref="RegionRegistry"/>; a source that was restarted on the same address refuses the old one.</param>
public readonly record struct TransferPeer(string Address, ulong Incarnation);
