using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>
/// The decode side of a hand-off: reads the parked blocks into reserved ones and verifies each. Either all of them are right
/// when it returns, or it throws and the caller disposes the reservation. Thread-safe.
/// </summary>
public sealed class KvPuller(IKvTransport transport, KvPullOptions options, TimeProvider time, ILogger<KvPuller> logger)
{
    /// <summary>
    /// Reads what the ticket names and <paramref name="local"/> does not have cached. Blocks of one size pair up in order; in models without a recurrent
    /// state the reservation may have more than the ticket. Does not free the source's lease: whoever gets the outcome does.
    /// </summary>
    /// <param name="ticket">From the prefill engine.</param>
    /// <param name="promptTokens">The prompt as this engine tokenised it.</param>
    /// <param name="local">Reserved for the same prompt and images. Nothing is written to its cached blocks.</param>
    /// <param name="memory">Holds the reservation's blocks.</param>
    /// <param name="cancellationToken">The client left; nothing is written to the blocks after the task has ended.</param>
    /// <exception cref="KvTransferException">See its codes.</exception>
    public async Task<KvPullResult> PullAsync(
        HandoffTicket ticket, IReadOnlyList<int> promptTokens, KvReservation local, IKvMemory memory, CancellationToken cancellationToken)
    {
        ActivityLink[] links = ActivityContext.TryParse(ticket.TraceParent, traceState: null, out var prefill) ? [new(prefill)] : [];
        using var span = TransferTelemetry.Source.StartActivity("kv.pull", ActivityKind.Client, parentContext: default, links: links, tags:
        [
            new("kv.source", ticket.EngineId),
            new("kv.blocks", Math.Max(0, ticket.Blocks.Length - local.CachedBlocks)),
        ]);
        var started = time.GetTimestamp();
        var outcome = "ok";
        try
        {
            var result = await PullAllAsync(ticket, promptTokens, local, memory, cancellationToken).ConfigureAwait(false);
            span?.SetTag("kv.bytes", result.Bytes);
            TransferTelemetry.PullBytes.Record(result.Bytes, new KeyValuePair<string, object?>("kv.transport", transport.PathTo(ticket.Source)));
            return result;
        }
        catch (Exception e)
        {
            outcome = e switch { KvTransferException kv => kv.Code, OperationCanceledException => "canceled", _ => "error" };
            span?.AddException(e).SetStatus(ActivityStatusCode.Error, outcome);
            throw;
        }
        finally
        {
            var path = transport.PathTo(ticket.Source); // only now: the first read finds out
            span?.SetTag("kv.transport", path);
            TransferTelemetry.PullDuration.Record(time.GetElapsedTime(started).TotalSeconds, new("kv.transport", path), new("outcome", outcome));
        }
    }

    private async Task<KvPullResult> PullAllAsync(
        HandoffTicket ticket, IReadOnlyList<int> promptTokens, KvReservation local, IKvMemory memory, CancellationToken cancellationToken)
    {
        var reslicer = ticket.BlockSize == memory.Layout.BlockSize ? null : memory.Reslicer(ticket.BlockSize);
        TicketCheck.Validate(ticket, promptTokens, local.ImagesDigest, reslicer?.Source ?? memory.Layout);
        if (!transport.CanRead(ticket.Source))
        {
            throw new KvTransferException(KvTransferException.IncompatibleLayout,
                $"prefill offers transport '{ticket.Source.Transport}', decode reads by '{transport.Name}'");
        }
        var plan = reslicer?.Plan(ticket, local, options.SegmentBytes);
        if (plan is null) ArgumentOutOfRangeException.ThrowIfLessThan(local.Blocks.Count, ticket.Blocks.Length, nameof(local));
        var blocks = plan?.SourceBlocks ?? Math.Max(0, ticket.Blocks.Length - local.CachedBlocks);

        var deadline = options.Deadline + blocks * ticket.BlockBytes / 1e9 * options.DeadlinePerGigabyte;
        using var timer = new CancellationTokenSource(deadline, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            if (plan is not null) return await PullReslicedAsync(ticket, plan, memory, stop.Token).ConfigureAwait(false);
            List<WantedBlock> wanted = [];
            for (var i = local.CachedBlocks; i < ticket.Blocks.Length; i++)
                wanted.Add(new(new(ticket.Blocks[i], local.Blocks[i]), ticket.Checksums[i]));
            var pull = new Pull(ticket, memory);
            var retries = await FetchAsync(pull, wanted, stop.Token).ConfigureAwait(false);
            return new(blocks, pull.Bytes, retries);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KvTransferException(KvTransferException.Timeout, $"{blocks} blocks did not arrive within {deadline.TotalSeconds:0.#} s", e);
        }
    }

    /// <summary>Reads the source's blocks as they are into memory of their own, verifies them there, and takes them apart into ours.</summary>
    private async Task<KvPullResult> PullReslicedAsync(HandoffTicket ticket, ReslicePlan plan, IKvMemory memory, CancellationToken cancellationToken)
    {
        if (plan.SourceBlocks == 0) return new(0, 0, 0);
        using var staging = new StagingMemory(plan.Reslicer.Source, plan.StagingBlocks);
        var pull = new Pull(ticket, staging);
        var retries = 0;
        try
        {
            foreach (var part in plan.Parts)
            {
                List<WantedBlock> wanted = [];
                for (var i = 0; i < part.Count; i++) wanted.Add(new(new(ticket.Blocks[part.First + i], i), ticket.Checksums[part.First + i]));
                retries += await FetchAsync(pull, wanted, cancellationToken).ConfigureAwait(false);
                plan.Scatter(part, staging, memory);
            }
        }
        finally
        {
            await transport.WithdrawAsync(staging, CancellationToken.None).ConfigureAwait(false); // no read is left by now
        }
        return new(plan.SourceBlocks, pull.Bytes, retries);
    }

    /// <summary>Reads and verifies all of <paramref name="wanted"/>, again where that may help.</summary>
    /// <returns>Attempts after the first one.</returns>
    private async Task<int> FetchAsync(Pull pull, List<WantedBlock> wanted, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var failure = await AttemptAsync(pull, wanted, cancellationToken).ConfigureAwait(false);
            if (failure is null) return attempt;
            if (attempt == options.Retries) throw failure;
            logger.Retrying(pull.Ticket.SeqId, wanted.Count, attempt + 2, failure.Message);
            TransferTelemetry.PullRetries.Add(1, new KeyValuePair<string, object?>("reason", failure.Code));
            await Task.Delay(options.RetryDelay * (1 << attempt), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads and verifies <paramref name="wanted"/>, and leaves in it what has to be read again.</summary>
    /// <returns>Null when nothing is left; else why. What cannot succeed by repetition is thrown.</returns>
    private async Task<KvTransferException?> AttemptAsync(Pull pull, List<WantedBlock> wanted, CancellationToken cancellationToken)
    {
        var perSegment = (int)Math.Max(1, options.SegmentBytes / pull.Memory.Layout.BlockBytes);
        List<WantedBlock> left = [];
        KvTransferException? failure = null;
        var verifying = Task.FromResult<WantedBlock[]>([]);
        try
        {
            for (var at = 0; at < wanted.Count; at += perSegment)
            {
                var segment = wanted.GetRange(at, Math.Min(perSegment, wanted.Count - at));
                try
                {
                    pull.Bytes += await transport.ReadAsync(
                        pull.Ticket.Source, pull.Ticket.SeqId, segment.ConvertAll(static b => b.Copy), pull.Memory, cancellationToken).ConfigureAwait(false);
                }
                catch (TransferException e)
                {
                    failure = Translate(e);
                    if (!e.IsTransient) throw failure;
                    left.AddRange(wanted[at..]);
                    break;
                }
                left.AddRange(await verifying.ConfigureAwait(false));
                verifying = VerifyAsync(pull.Memory, segment, cancellationToken);
            }
        }
        finally
        {
            // Also on the way out: nobody may look at the blocks once their owner has them back.
            left.AddRange(await verifying.ConfigureAwait(false));
        }

        if (left.Count > 0 && failure is null)
            failure = new(KvTransferException.Corrupt, $"{left.Count} of {wanted.Count} blocks do not match their checksum");
        wanted.Clear();
        wanted.AddRange(left);
        return failure;
    }

    private async Task<WantedBlock[]> VerifyAsync(IKvMemory memory, List<WantedBlock> segment, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var sums = await KvChecksum.OfAsync(memory, segment.ConvertAll(static b => b.Copy.Destination), options.ChecksumThreads, cancellationToken).ConfigureAwait(false);
        TransferTelemetry.Checksummed("reader", time.GetElapsedTime(started));
        return [.. segment.Where((block, i) => sums[i] != block.Checksum)];
    }

    private static KvTransferException Translate(TransferException e) => e.Code switch
    {
        TransferCode.TokenRefused => new(KvTransferException.LeaseExpired, e.Message, e),
        TransferCode.NotMappable => new(KvTransferException.IncompatibleLayout, e.Message, e),
        TransferCode.StaleRegion or TransferCode.UnknownRegion or TransferCode.PeerLost or TransferCode.Timeout => new(KvTransferException.PeerGone, e.Message, e),
        _ => new(KvTransferException.Failed, e.Message, e),
    };

    private readonly record struct WantedBlock(BlockCopy Copy, ulong Checksum);

    private sealed class Pull(HandoffTicket ticket, IKvMemory memory)
    {
        public HandoffTicket Ticket => ticket;
        public IKvMemory Memory => memory;
        public long Bytes { get; set; }
    }
}
