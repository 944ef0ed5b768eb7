namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Thread-safe sums behind <see cref="PeerSummary"/>.</summary>
internal sealed class PeerCounters
{
    public static readonly IReadOnlyList<string> Operations = ["read", "write", "write_with_imm"];
    public static readonly IReadOnlyList<string> Messages = ["send", "recv", "imm_recv"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PeerOperationTotals> _operations = Operations.ToDictionary(static o => o, static _ => new PeerOperationTotals());
    private readonly Dictionary<string, PeerMessageTotals> _messages = Messages.ToDictionary(static o => o, static _ => new PeerMessageTotals());
    private readonly Dictionary<string, PeerPathTotals> _paths = new(StringComparer.Ordinal);

    /// <summary>Counts one of <see cref="Operations"/> when it is submitted and once more when it ends.</summary>
    public async Task<long> MeasureAsync(string operation, int ranges, long bytes, Func<Task<long>> work)
    {
        Change(_operations, operation, t => t with { Assign = t.Assign + ranges, Batch = t.Batch + 1, SubmittedBytes = t.SubmittedBytes + bytes, Pending = t.Pending + 1 });
        try
        {
            var moved = await work().ConfigureAwait(false);
            Change(_operations, operation, t => t with { Pending = t.Pending - 1, CompletedBytes = t.CompletedBytes + bytes });
            return moved;
        }
        catch
        {
            Change(_operations, operation, t => t with { Pending = t.Pending - 1, FailedBytes = t.FailedBytes + bytes, Errors = t.Errors + 1 });
            throw;
        }
    }

    /// <summary>Counts one of <see cref="Messages"/>: when it is posted, and with its bytes when it has come or gone.</summary>
    public async Task<T> MeasureMessageAsync<T>(string operation, Func<Task<T>> work, Func<T, long> bytes)
    {
        Change(_messages, operation, static t => t with { Posted = t.Posted + 1, Pending = t.Pending + 1 });
        try
        {
            var done = await work().ConfigureAwait(false);
            Change(_messages, operation, t => t with { Pending = t.Pending - 1, Bytes = t.Bytes + bytes(done) });
            Telemetry.MessageDone(operation);
            return done;
        }
        catch
        {
            Change(_messages, operation, static t => t with { Pending = t.Pending - 1, Failures = t.Failures + 1 });
            throw;
        }
    }

    /// <summary>Counts what went one way: a part of an operation, all of one remote region.</summary>
    public void Went(string path, int ranges, long bytes, bool succeeded)
    {
        lock (_gate)
        {
            var t = _paths.GetValueOrDefault(path) ?? new();
            _paths[path] = succeeded
                ? t with { Assign = t.Assign + ranges, Batch = t.Batch + 1, CompletedBytes = t.CompletedBytes + bytes }
                : t with { Assign = t.Assign + ranges, Batch = t.Batch + 1, FailedBytes = t.FailedBytes + bytes, Errors = t.Errors + 1 };
        }
    }

    public PeerSummary Read(IReadOnlyList<MemoryRegion> user, IReadOnlyList<MemoryRegion> system)
    {
        lock (_gate)
        {
            return new()
            {
                ByOp = new Dictionary<string, PeerOperationTotals>(_operations),
                Messages = new Dictionary<string, PeerMessageTotals>(_messages),
                ByPath = new Dictionary<string, PeerPathTotals>(_paths),
                UserMrCount = user.Count, UserMrBytes = Bytes(user), SysMrCount = system.Count, SysMrBytes = Bytes(system),
            };
        }
    }

    private void Change<T>(Dictionary<string, T> totals, string operation, Func<T, T> change)
    {
        lock (_gate) totals[operation] = change(totals[operation]);
    }

    private static ulong Bytes(IReadOnlyList<MemoryRegion> regions) => regions.Aggregate(0UL, static (sum, r) => sum + r.Length);
}
