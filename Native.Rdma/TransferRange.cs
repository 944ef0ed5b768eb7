namespace NanoAspire.Native.Rdma;

/// <summary>One contiguous piece of memory to move. Offsets are bytes from the start of their region.</summary>
public readonly record struct TransferRange
{
    public required RegionId Remote { get; init; }
    public required ulong RemoteOffset { get; init; }
    public required RegionId Local { get; init; }
    public required ulong LocalOffset { get; init; }
    /// <summary>Bytes; a range of zero bytes is dropped.</summary>
    public required ulong Length { get; init; }
}
