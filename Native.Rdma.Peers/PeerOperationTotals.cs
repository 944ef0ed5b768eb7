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
