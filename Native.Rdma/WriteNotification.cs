namespace NanoAspire.Native.Rdma;

/// <summary>What the owner of a region is to be told once a write has completed; it comes out of its <see cref="TransferInbox"/>.</summary>
/// <param name="Region">Which the owner must have granted.</param>
/// <param name="Value">For the application.</param>
public readonly record struct WriteNotification(RegionId Region, ulong Value);
