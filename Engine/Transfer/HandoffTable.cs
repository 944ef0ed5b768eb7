using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>
/// The prefill side of a hand-off: keeps parked blocks readable under a lease until they are freed or the lease expires.
/// A read is granted only to who names a live lease, and only for its blocks; blocks in the middle of a read are kept until
/// it ends. Thread-safe.
/// </summary>
public sealed class HandoffTable : IReadGuard, IAsyncDisposable
{
    /// <summary>Routers in other languages read ids as doubles.</summary>
    private const long MaxSeqId = (1L << 53) - 1;
    private static readonly TimeSpan MaxSweepInterval = TimeSpan.FromSeconds(1);

    private readonly IKvTransport _transport;
    private readonly IKvMemory _memory;
    private readonly HandoffOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KvEndpoint _endpoint;
    private readonly ConcurrentDictionary<long, HandoffLease> _leases = new();
    private readonly ITimer _sweep;
    private readonly CancellationTokenSource _disposed = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;
    private bool _closing;
    private int _parked;
    private long _expired;

    /// <summary>Exports <paramref name="memory"/> over <paramref name="transport"/>; both must outlive the table.</summary>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <exception cref="TransferException">The transport cannot listen.</exception>
    public HandoffTable(IKvTransport transport, IKvMemory memory, HandoffOptions options, TimeProvider time, ILogger<HandoffTable> logger)
    {
        if (options.Validate().ToArray() is [_, ..] errors) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        (_transport, _memory, _options, _time, _logger) = (transport, memory, options, time, logger);
        _endpoint = transport.Export(memory, this);
        var interval = options.Lease / 4 < MaxSweepInterval ? options.Lease / 4 : MaxSweepInterval;
        _sweep = time.CreateTimer(static table => ((HandoffTable)table!).Sweep(), this, interval, interval);
    }

    /// <summary>Sequences under a lease, or being parked.</summary>
    public int ParkedCount => Volatile.Read(ref _parked);

    /// <summary>Leases that ended unclaimed.</summary>
    public long ExpiredCount => Interlocked.Read(ref _expired);

    /// <summary>
    /// Takes over a prefilled sequence: checksums its blocks (on pool threads), starts its lease and makes the ticket.
    /// Owns <paramref name="parked"/> from the call on, also when it fails.
    /// </summary>
    /// <param name="parked">Holds at least the KV of the prompt.</param>
    /// <param name="promptTokens">The prompt's ids: the ticket carries their number and hash.</param>
    /// <param name="first">The token that prefill sampled.</param>
    /// <param name="firstFinishReason">Set when that token already ended the choice.</param>
    /// <param name="cancellationToken">The client left: the blocks are released.</param>
    /// <exception cref="KvTransferException"><see cref="KvTransferException.HandoffFull"/>.</exception>
    public async Task<HandoffTicket> ParkAsync(
        ParkedKv parked, IReadOnlyList<int> promptTokens, SampledToken first, string? firstFinishReason, CancellationToken cancellationToken)
    {
        if (!TryBegin())
        {
            parked.Release();
            throw new ObjectDisposedException(nameof(HandoffTable));
        }
        try
        {
            return await ParkBegunAsync(parked, promptTokens, first, firstFinishReason, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Finish();
        }
    }

    private async Task<HandoffTicket> ParkBegunAsync(
        ParkedKv parked, IReadOnlyList<int> promptTokens, SampledToken first, string? firstFinishReason, CancellationToken cancellationToken)
    {
        if (!TryEnter())
        {
            parked.Release();
            throw new KvTransferException(KvTransferException.HandoffFull, $"{_options.MaxParked} sequences are parked already");
        }
        HandoffTicket ticket;
        try
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(promptTokens.Count, parked.TokenCount, nameof(promptTokens));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
            var started = _time.GetTimestamp();
            var checksums = await KvChecksum.OfAsync(_memory, parked.Blocks, _options.ChecksumThreads, stop.Token).ConfigureAwait(false);
            TransferTelemetry.Checksummed("source", _time.GetElapsedTime(started));
            ticket = Ticket(parked, promptTokens, checksums, first, firstFinishReason);
        }
        catch
        {
            Leave();
            parked.Release();
            throw;
        }
        _leases[ticket.SeqId] = new(ticket.SeqId, parked, _memory.Layout.BlockBytes, _time.GetUtcNow(), _options.Lease);
        return ticket;
    }

    /// <summary>Ends leases. Idempotent: what is not (or no longer) parked is reported as unknown, and is no error.</summary>
    public HandoffFreeResult Free(IEnumerable<long> seqIds)
    {
        List<long> freed = [], unknown = [];
        foreach (var id in seqIds)
        {
            var ended = _leases.TryGetValue(id, out var lease) && EndLease(lease);
            (ended ? freed : unknown).Add(id);
        }
        return new(freed, unknown);
    }

    IDisposable? IReadGuard.TryPin(ulong token, ReadOnlySpan<SourceRange> ranges) =>
        token <= MaxSeqId && _leases.TryGetValue((long)token, out var lease) && lease.TryPin(ranges, _time.GetUtcNow()) ? lease : null;

    /// <summary>Ends all leases and withdraws the memory; completes when neither a peer nor a checksum reads it any more.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            if (_begun == 0) _idle.TrySetResult();
        }
        await _disposed.CancelAsync().ConfigureAwait(false);
        await _idle.Task.ConfigureAwait(false);
        await _sweep.DisposeAsync().ConfigureAwait(false);
        foreach (var lease in _leases.Values) EndLease(lease);
        await _transport.WithdrawAsync(_memory, CancellationToken.None).ConfigureAwait(false);
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            if (!_closing) _begun++;
            return !_closing;
        }
    }

    private void Finish()
    {
        lock (_gate)
        {
            if (--_begun == 0 && _closing) _idle.TrySetResult();
        }
    }

    private bool TryEnter()
    {
        if (Interlocked.Increment(ref _parked) > _options.MaxParked)
        {
            Interlocked.Decrement(ref _parked);
            return false;
        }
        TransferTelemetry.Parked.Add(1);
        return true;
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _parked);
        TransferTelemetry.Parked.Add(-1);
    }

    private bool EndLease(HandoffLease lease)
    {
        _leases.TryRemove(KeyValuePair.Create(lease.Id, lease));
        if (!lease.End()) return false;
        Leave();
        return true;
    }

    private void Sweep()
    {
        var now = _time.GetUtcNow();
        foreach (var lease in _leases.Values)
        {
            if (!lease.IsOver(now) || !EndLease(lease)) continue;
            Interlocked.Increment(ref _expired);
            TransferTelemetry.Expired.Add(1);
            _logger.LeaseExpired(lease.Id, _options.Lease.TotalSeconds);
        }
    }

    private HandoffTicket Ticket(ParkedKv parked, IReadOnlyList<int> promptTokens, ulong[] checksums, SampledToken first, string? firstFinishReason) => new()
    {
        SeqId = NewSeqId(),
        EngineId = _options.EngineId,
        Incarnation = _options.Incarnation,
        LeaseExpiresMs = (_time.GetUtcNow() + _options.Lease).ToUnixTimeMilliseconds(),
        KvDigest = _memory.Layout.Digest,
        BlockSize = _memory.Layout.BlockSize,
        BlockBytes = _memory.Layout.BlockBytes,
        PromptTokens = parked.TokenCount,
        PromptHash = KvChecksum.OfPrompt(promptTokens),
        ImagesDigest = parked.ImagesDigest,
        Blocks = [.. parked.Blocks],
        Checksums = checksums,
        Source = _endpoint,
        FirstToken = new()
        {
            Id = first.Id,
            Logprob = first.Logprob,
            TopLogprobs = first.TopLogprobs?.Select(static t => new HandoffLogprob(t.Id, t.Logprob)).ToArray(),
        },
        FirstFinishReason = firstFinishReason,
        TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } span ? span.Id : null,
    };

    /// <summary>Random: an id is also the right to read the blocks, and must not be guessed from another one.</summary>
    private long NewSeqId()
    {
        while (true)
        {
            var id = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & MaxSeqId;
            if (id != 0 && !_leases.ContainsKey(id)) return id;
        }
    }
}
