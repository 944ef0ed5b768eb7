namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Thread-safe sums behind <see cref="PeerSummary"/>.</summary>
internal sealed class PeerCounters
{
    private static readonly string[] Operations = ["read", "write", "write_with_imm", "send"];

    private readonly Lock _gate = new();
    private readonly long[] _pending = new long[Operations.Length];
    private long _ranges, _batches, _submitted, _completed, _failed, _errors;

    /// <summary>Counts <paramref name="work"/> when it is submitted and once more when it ends.</summary>
    public async Task<long> MeasureAsync(string operation, int ranges, long bytes, Func<Task<long>> work)
    {
        var kind = Array.IndexOf(Operations, operation);
        lock (_gate)
        {
            (_ranges, _batches, _submitted) = (_ranges + ranges, _batches + 1, _submitted + bytes);
            _pending[kind]++;
        }
        var succeeded = false;
        try
        {
            var moved = await work().ConfigureAwait(false);
            succeeded = true;
            return moved;
        }
        finally
        {
            lock (_gate)
            {
                _pending[kind]--;
                if (succeeded) _completed += bytes;
                else (_failed, _errors) = (_failed + bytes, _errors + 1);
            }
        }
    }

    public PeerSummary Read(IReadOnlyList<MemoryRegion> user, IReadOnlyList<MemoryRegion> system)
    {
        lock (_gate)
        {
            return new(
                _ranges, _batches, _submitted, _completed, _failed, _pending.Sum(), _errors,
                Operations.Select((name, i) => (name, _pending[i])).ToDictionary(static p => p.name, static p => p.Item2),
                user.Count, Bytes(user), system.Count, Bytes(system));
        }
    }

    private static ulong Bytes(IReadOnlyList<MemoryRegion> regions) => regions.Aggregate(0UL, static (sum, r) => sum + r.Length);
}
