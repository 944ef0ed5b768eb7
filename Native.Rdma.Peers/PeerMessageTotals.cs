namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Messages sent, and messages or notifications waited for: counted where they are posted, and in no total of bytes.</summary>
public sealed record PeerMessageTotals
{
    public long Posted { get; init; }
    /// <summary>Bytes that went or came; a notification has none.</summary>
    public long Bytes { get; init; }
    public long Pending { get; init; }
    public long Failures { get; init; }
}
