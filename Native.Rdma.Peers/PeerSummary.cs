namespace NanoAspire.Native.Rdma.Peers;

/// <summary>What an agent has moved so far. Totals are those of <see cref="ByOp"/>: reads and writes; messages stand beside them.</summary>
public sealed record PeerSummary
{
    /// <summary>By <c>read</c>, <c>write</c>, <c>write_with_imm</c>.</summary>
    public required IReadOnlyDictionary<string, PeerOperationTotals> ByOp { get; init; }
    /// <summary>By <c>send</c>, <c>recv</c>, <c>imm_recv</c>.</summary>
    public required IReadOnlyDictionary<string, PeerMessageTotals> Messages { get; init; }
    /// <summary>By <see cref="ITransport.PathTo"/>.</summary>
    public required IReadOnlyDictionary<string, PeerPathTotals> ByPath { get; init; }
    /// <summary>Regions registered by name.</summary>
    public required int UserMrCount { get; init; }
    public required ulong UserMrBytes { get; init; }
    /// <summary>Regions of the agent itself.</summary>
    public required int SysMrCount { get; init; }
    public required ulong SysMrBytes { get; init; }

    public long AssignTotal => ByOp.Values.Sum(static t => t.Assign);
    public long BatchTotal => ByOp.Values.Sum(static t => t.Batch);
    public long SubmittedBytesTotal => ByOp.Values.Sum(static t => t.SubmittedBytes);
    public long CompletedBytesTotal => ByOp.Values.Sum(static t => t.CompletedBytes);
    public long FailedBytesTotal => ByOp.Values.Sum(static t => t.FailedBytes);
    public long PendingOps => PendingByOp.Values.Sum();
    public long ErrorTotal => ByOp.Values.Sum(static t => t.Errors);

    /// <summary>What has not ended, messages included.</summary>
    public IReadOnlyDictionary<string, long> PendingByOp =>
        ByOp.Select(static o => (o.Key, o.Value.Pending)).Concat(Messages.Select(static m => (m.Key, m.Value.Pending))).ToDictionary(static p => p.Key, static p => p.Pending);
}
