namespace NanoAspire.Native.Rdma.Peers;

/// <summary>What an agent has moved so far; each operation counts once, however many ranges and connections it takes.</summary>
/// <param name="AssignTotal">Ranges submitted.</param>
/// <param name="BatchTotal">Operations submitted.</param>
/// <param name="SubmittedBytesTotal">Bytes of all operations.</param>
/// <param name="CompletedBytesTotal">Bytes of those that succeeded.</param>
/// <param name="FailedBytesTotal">Bytes of those that failed or were cancelled.</param>
/// <param name="PendingOps">Operations that have not ended.</param>
/// <param name="ErrorTotal">Operations that failed or were cancelled.</param>
/// <param name="PendingByOp">The same by operation: read, write, write_with_imm, send.</param>
/// <param name="UserMrCount">Regions registered by name.</param>
/// <param name="UserMrBytes">Their bytes.</param>
/// <param name="SysMrCount">Regions of the agent itself.</param>
/// <param name="SysMrBytes">Their bytes.</param>
public sealed record PeerSummary(
    long AssignTotal, long BatchTotal, long SubmittedBytesTotal, long CompletedBytesTotal, long FailedBytesTotal, long PendingOps, long ErrorTotal,
    IReadOnlyDictionary<string, long> PendingByOp, int UserMrCount, ulong UserMrBytes, int SysMrCount, ulong SysMrBytes);
