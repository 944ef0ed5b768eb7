namespace NanoAspire.Native.Rdma;

/// <summary>A peer has finished a write; its data is visible.</summary>
/// <param name="Region">Written to.</param>
/// <param name="Token">The grant it wrote under.</param>
/// <param name="Value">What the writer passed along.</param>
public readonly record struct TransferNotification(RegionId Region, ulong Token, ulong Value);
