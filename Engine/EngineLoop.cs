using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Caching;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine;

/// <summary>
/// Continuous batching over one model: one owner thread, bounded queues, paged KV blocks with prefix caching.
/// <para>Requests reach the thread through a bounded channel. What gives something back (abort, release, cancel) takes a second queue
/// that is never full, because each live object puts at most one entry into it. With nothing to do the thread sleeps until either has one.</para>
/// <para>Whoever made the model runner disposes it, after the loop.</para>
/// </summary>
public sealed class EngineLoop : IAsyncDisposable
{
    private readonly IModelRunner _runner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EngineCore _core;
    private readonly Channel<Claim> _requests;
    private readonly ConcurrentQueue<Action> _releases = new();
    private readonly WakeUp _wake = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int[] _eos;
    private readonly int _maxLive;
    private readonly int _maxLength;
    private TaskCompletionSource? _drained;
    private long _lastId;
    private int _live;                                     // requests taken in and not ended; a reservation and its sequence are one
    private volatile bool _draining;
    private volatile bool _stopping;

    /// <summary>Starts the owner thread.</summary>
    /// <exception cref="ArgumentException">The options break a rule, alone or together with the model.</exception>
    public EngineLoop(IModelRunner runner, EngineOptions options, TimeProvider time, ILogger<EngineLoop> logger) : this(runner, options, time, logger, DrafterOf(runner, options))
    {
    }

    internal EngineLoop(IModelRunner runner, EngineOptions options, TimeProvider time, ILogger<EngineLoop> logger, IDrafter? drafter)
    {
        var positions = runner.Model.MaxPositions;
        var problems = options.Validate().ToList();
        if (options.MaxModelLength > positions) problems.Add($"max-model-len {options.MaxModelLength} is more than the model's {positions} positions");
        if (runner.KvMemory.KvBlocks < 2) problems.Add("the KV memory needs at least 2 blocks");
        if (runner.KvMemory is { StateSlots: < 1, Layout.StateBlocks: > 0 }) problems.Add("the KV memory of a recurrent model needs at least 1 state slot");
        if (options.Speculation == SpeculationMethod.Mtp && runner.Drafts is null) problems.Add("speculative mtp needs a model that was loaded with its draft module");
        if (problems.Count > 0) throw new ArgumentException(string.Join("; ", problems), nameof(options));

        (_runner, _time, _logger) = (runner, time, logger);
        _core = new(runner, options, time, logger, ended: () => Interlocked.Decrement(ref _live), Post, drafter);
        _eos = [.. runner.Model.EosTokenIds];
        _maxLive = (int)Math.Min(int.MaxValue, (long)options.MaxSequences + options.MaxWaiting);
        // The pool caps a sequence, too: a lone one must always fit. Its last token needs no slot, nothing is computed after it.
        _maxLength = Math.Min(options.MaxModelLength ?? positions, (int)Math.Min(int.MaxValue, (long)_core.Pool.Total * _core.Pool.BlockSize + 1));
        _requests = Channel.CreateBounded<Claim>(new BoundedChannelOptions(_maxLive) { SingleReader = true });
        Telemetry.Watch(this);
        logger.LoopStarted(_core.Pool.Total, _core.Pool.BlockSize, options.MaxSequences, options.MaxBatchedTokens, _maxLength);
        new Thread(Work) { IsBackground = true, Name = "engine" }.Start();
    }

    /// <summary>A snapshot, cheap to read from any thread.</summary>
    public EngineStatus Status => _draining ? _core.Status with { Draining = true } : _core.Status;

    /// <summary>Most tokens a sequence can have, prompt and output together: the model's context, or what the KV memory holds.</summary>
    public int MaxLength => _maxLength;

    /// <summary>Queues a sequence. Thread-safe.</summary>
    /// <exception cref="EngineRejectedException">The queue is full, the prompt can never fit, an id is out of the vocabulary, or the engine drains.</exception>
    /// <exception cref="ArgumentException">The request contradicts itself; no client can cause this when the surface validates.</exception>
    public GenerationHandle Submit(GenerationRequest request)
    {
        var prompt = new List<int>(request.PromptTokens);
        Check(request, prompt);
        var reservation = request.Reservation?.Claim;
        Enter(isNew: reservation is null);
        if (reservation is not null && !request.Reservation!.Take()) throw new ArgumentException("The reservation is used up.", nameof(request));

        var table = reservation?.Table ?? new BlockTable(_core.Pool, request.Images);
        var limit = (int)Math.Min(_maxLength, prompt.Count + (long)(request.Sampling.MaxTokens ?? int.MaxValue));
        int[] stopIds = [.. request.Sampling.IgnoreEos && request.Constraint is null ? [] : _eos, .. request.Sampling.StopTokenIds];
        var sequence = new Sequence(Interlocked.Increment(ref _lastId), request, prompt, table, limit, stopIds, _time.GetTimestamp()) { Reservation = reservation };
        Enqueue(sequence);
        return new(sequence.Id, sequence.Outputs, () =>
        {
            if (sequence.RequestAbort()) Post(() => _core.Abort(sequence));
        });
    }

    /// <summary>
    /// Sets blocks and a slot aside for a prompt whose KV will be pulled; waits in line, with the sequences, while there are none.
    /// The leading <see cref="KvReservation.CachedBlocks"/> are prefix hits: shared, complete, not to be written.
    /// </summary>
    /// <exception cref="EngineRejectedException">As <see cref="Submit"/>.</exception>
    public ValueTask<KvReservation> ReserveAsync(IReadOnlyList<int> promptTokens, CancellationToken cancellationToken) => ReserveAsync(promptTokens, [], cancellationToken);

    /// <summary>The same for a prompt with images: blocks are hit only where the images are the same, too.</summary>
    public async ValueTask<KvReservation> ReserveAsync(IReadOnlyList<int> promptTokens, IReadOnlyList<PromptImage> images, CancellationToken cancellationToken)
    {
        var prompt = new List<int>(promptTokens);
        CheckPrompt(prompt);
        CheckImages(images, prompt);
        cancellationToken.ThrowIfCancellationRequested();
        Enter(isNew: true);
        var reservation = new Reservation(prompt, new(_core.Pool, images), images);
        Enqueue(reservation);
        await using var registration = cancellationToken.UnsafeRegister((_, token) =>
        {
            if (reservation.Cancel(token)) Post(() => _core.Cancel(reservation));
        }, null);
        return await reservation.Granted.ConfigureAwait(false);
    }

    /// <summary>Refuses new work; what runs, waits or holds a reservation goes on.</summary>
    public void BeginDrain()
    {
        if (_draining) return;
        _draining = true;
        _logger.Draining(Volatile.Read(ref _live));
    }

    /// <summary>Completes when nothing runs, waits, is reserved or parked.</summary>
    public Task DrainedAsync(CancellationToken cancellationToken)
    {
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waited = Interlocked.CompareExchange(ref _drained, fresh, null) ?? fresh;
        _wake.Signal();
        return Task.WhenAny(waited.Task, _stopped.Task).WaitAsync(cancellationToken);
    }

    /// <summary>Aborts what is left and joins the owner thread. A step in progress is finished first.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _wake.Signal();
        await _stopped.Task.ConfigureAwait(false);
    }

    private static IDrafter? DrafterOf(IModelRunner runner, EngineOptions options) => options.Speculation switch
    {
        SpeculationMethod.Off => null,
        SpeculationMethod.NGram => new NGramDrafter(options.SpeculativeTokens),
        _ => runner.Drafts is not { } module ? null : new MtpDrafter(module, runner.Model.VocabSize, runner.KvMemory.Layout.BlockSize, options.SpeculativeTokens),
    };

    private void Work()
    {
        try
        {
            while (!_stopping)
            {
                for (var n = _maxLive; n > 0 && _requests.Reader.TryRead(out var claim); n--) _core.Add(claim);
                for (var n = _releases.Count; n > 0 && _releases.TryDequeue(out var release); n--) release();
                _core.Flush();                             // aborted ones do not wait for the others' step
                if (_core.Step()) continue;
                if (Volatile.Read(ref _live) == 0 && _core.Status.ParkedSequences == 0) Interlocked.Exchange(ref _drained, null)?.TrySetResult();
                _wake.Wait();
            }
            _requests.Writer.Complete();
            while (_requests.Reader.TryRead(out var claim)) _core.Add(claim);
            _core.EndAll(FinishReason.Abort, error: null);
            _core.Flush();
        }
        catch (Exception e)                                // a defect of the engine itself: nobody may wait for it, and health says so
        {
            _logger.LoopBroke(e);
            _core.Break($"the engine loop broke: {e.Message}");
            _requests.Writer.TryComplete();
            while (_requests.Reader.TryRead(out var claim)) claim.Fail($"the engine loop broke: {e.Message}");
        }
        finally
        {
            Telemetry.Forget(this);
            _stopped.SetResult();
        }
    }

    private void Post(Action release)
    {
        _releases.Enqueue(release);
        _wake.Signal();
    }

    private void Enqueue(Claim claim)
    {
        var written = _requests.Writer.TryWrite(claim);    // it has room for every live request, so only a stopped loop refuses
        if (!written) Leave();
        ObjectDisposedException.ThrowIf(!written, this);
        _wake.Signal();
    }

    private void Enter(bool isNew)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (!_core.Status.Healthy) throw new EngineRejectedException(EngineRejectedException.Unhealthy, "The engine has failed repeatedly and takes no more requests.");
        if (!isNew) return;
        var live = Interlocked.Increment(ref _live);       // before the flag is read: a drain that sees no live request cannot miss this one
        if (live <= _maxLive && !_draining) return;
        Leave();
        throw _draining
            ? new EngineRejectedException(EngineRejectedException.Draining, "The engine is shutting down.")
            : new EngineRejectedException(EngineRejectedException.QueueFull, $"{_maxLive} requests are running or waiting already.");
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _live);
        _wake.Signal();
    }

    private void Check(GenerationRequest request, List<int> prompt)
    {
        CheckPrompt(prompt);
        CheckImages(request.Images, prompt);
        if (request.Sampling.Validate() is { } problem) throw new ArgumentException(problem.Message, nameof(request));
        foreach (var id in request.Sampling.LogitBias.Keys) CheckId(id);
        if (request.FirstToken is { } first) CheckId(first.Id);
        if (request.ResumedTokens < 0 || request.ResumedTokens > prompt.Count) throw new ArgumentException("More tokens are resumed than there are.", nameof(request));
        if (request.Reservation is null != request.FirstToken is null)
            throw new ArgumentException("A reservation comes with a first token, and a first token with a reservation.", nameof(request));
        if (_core.Pool.States is not null && request is { ParkWhenFinished: true, ParkAfterFirstToken: false })
            throw new ArgumentException("A recurrent model parks a prompt after its first token or not at all.", nameof(request));
        if (request.Reservation is null) return;
        if (request.Reservation.Claim is not { } claim || claim.Table.Pool != _core.Pool)
            throw new ArgumentException("The reservation is not one of this engine.", nameof(request));
        if (!claim.Tokens.SequenceEqual(CollectionsMarshal.AsSpan(prompt)) || claim.ImagesDigest != PromptImage.DigestOf(request.Images)) throw new ArgumentException("The reservation was made for another prompt.", nameof(request));
    }

    private void CheckImages(IReadOnlyList<PromptImage> images, List<int> prompt)
    {
        if (images.Count == 0) return;
        if (_runner.Model.Images is not { } input) throw new ArgumentException("The model takes no images.", nameof(images));
        if (input.Check(images, CollectionsMarshal.AsSpan(prompt)) is { } problem) throw new ArgumentException(problem, nameof(images));
    }

    private void CheckPrompt(List<int> prompt)
    {
        if (prompt.Count == 0) throw new ArgumentException("The prompt is empty.", nameof(prompt));
        if (prompt.Count + 1 > _maxLength)
            throw new EngineRejectedException(EngineRejectedException.ContextLengthExceeded, $"The prompt has {prompt.Count} tokens; with one token of output, {_maxLength} is the most this engine can hold.");
        foreach (var id in prompt) CheckId(id);
    }

    private void CheckId(int id)
    {
        if ((uint)id >= (uint)_runner.Model.VocabSize)
            throw new EngineRejectedException(EngineRejectedException.InvalidToken, $"Token id {id} is not in the vocabulary of {_runner.Model.VocabSize}.");
    }
}
