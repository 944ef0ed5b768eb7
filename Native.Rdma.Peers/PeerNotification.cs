namespace NanoAspire.Native.Rdma.Peers;

/// <summary>A peer has finished a write; its data is visible.</summary>
/// <param name="Region">Name of the region it wrote to; null when that is not published (any more).</param>
/// <param name="Token">The grant it wrote under.</param>
/// <param name="Value">What the writer passed along.</param>
public readonly record struct PeerNotification(string? Region, ulong Token, ulong Value);
