namespace NanoAspire.Native.Rdma.Peers;

/// <summary>What was asked for and what became of it, one count an operation however many ranges and connections it takes.</summary>
public sealed record PeerOperationTotals
{
    /// <summary>Ranges submitted.</summary>
    public long Assign { get; init; }
    /// <summary>Operations submitted.</summary>
    public long Batch { get; init; }
    public long SubmittedBytes { get; init; }
    /// <summary>Bytes of operations that succeeded.</summary>
    public long CompletedBytes { get; init; }
    /// <summary>Bytes of operations that failed or were cancelled.</summary>
    public long FailedBytes { get; init; }
    /// <summary>Operations that have not ended.</summary>
    public long Pending { get; init; }
    /// <summary>Operations that failed or were cancelled.</summary>
    public long Errors { get; init; }
}

/// <summary>Messages sent, and messages or notifications waited for: counted where they are posted, and in no total of bytes.</summary>
public sealed record PeerMessageTotals
{
    public long Posted { get; init; }
    /// <summary>Bytes that went or came; a notification has none.</summary>
    public long Bytes { get; init; }
    public long Pending { get; init; }
    public long Failures { get; init; }
}

/// <summary>What one way has moved (<c>shm</c>, <c>ucx</c>, <c>tcp</c>): which card carried it only UCX and the kernel know.</summary>
public sealed record PeerPathTotals
{
    public long Assign { get; init; }
    public long Batch { get; init; }
    public long CompletedBytes { get; init; }
    public long FailedBytes { get; init; }
    public long Errors { get; init; }
}
