namespace NanoAspire.Native.Rdma.Peers;

/// <summary>One contiguous piece of memory to move between named regions. Offsets are bytes from the start of their region.</summary>
public readonly record struct PeerRange
{
    /// <summary>Region of the peer.</summary>
    public required string Remote { get; init; }
    public required ulong RemoteOffset { get; init; }
    /// <summary>Region of this agent.</summary>
    public required string Local { get; init; }
    public required ulong LocalOffset { get; init; }
    /// <summary>Bytes; a range of zero bytes is dropped.</summary>
    public required ulong Length { get; init; }
}
