using Microsoft.Extensions.Logging;
using NanoAspire.Engine.Caching;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Sampling;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine.Scheduling;

/// <summary>
/// The engine's state and its step: plan, run, sample, commit, emit. Called by one thread; it neither waits nor locks.
/// Events leave only after <see cref="Status"/> shows their effect: who reads the last event finds the blocks free.
/// </summary>
internal sealed partial class EngineCore
{
    /// <summary>Failed steps in a row after which the engine gives up: one may be a poisoned request, three are a broken device.</summary>
    private const int MaxFailures = 3;
    private const string Strayed = "tokens sampled elsewhere break the constraint: the engines do not agree on it";

    private readonly IModelRunner _runner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action _ended;
    private readonly Action<Action> _post;
    private readonly BlockPool _pool;
    private readonly Scheduler _scheduler;
    private readonly Sampler _sampler;
    private readonly EngineMetrics _metrics;
    private readonly IDrafter? _drafter;
    private readonly List<DraftInput> _computed = [];
    private readonly StepPlan _plan = new();
    private readonly StepBatch _batch = new();
    private readonly List<(Sequence Sequence, GenerationOutput Output, bool Last)> _outbox = [];
    private float[] _logits = [];
    private int _failures;
    private bool _healthy = true;
    private EngineStatus _status = new();

    /// <param name="runner">Computes the steps; its owner disposes it.</param>
    /// <param name="options">Validated limits.</param>
    /// <param name="time">For timestamps only: no decision depends on it.</param>
    /// <param name="logger">Errors only.</param>
    /// <param name="ended">Called once for each claim that leaves the engine.</param>
    /// <param name="post">Runs an action on the owner thread; callable from any thread, never lost while the engine lives.</param>
    /// <param name="drafter">Guesses tokens ahead; null: nobody does.</param>
    public EngineCore(IModelRunner runner, EngineOptions options, TimeProvider time, ILogger logger, Action ended, Action<Action> post, IDrafter? drafter = null)
    {
        (_runner, _time, _logger, _ended, _post, _drafter) = (runner, time, logger, ended, post, drafter);
        var memory = runner.KvMemory;
        var states = memory.StateSlots > 0 ? new StatePool(memory.StateSlots, firstBlock: memory.KvBlocks, memory.Layout.StateBlocks) : null;
        _pool = new(memory.KvBlocks, memory.Layout.BlockSize, options.PrefixCaching, states);
        _scheduler = new(_pool, options.MaxBatchedTokens, options.MaxSequences);
        _sampler = new(runner.Model.VocabSize);
        _metrics = new(time, options.ModelName);
        Publish();
    }

    public BlockPool Pool => _pool;
    public Scheduler Scheduler => _scheduler;
    /// <summary>Readable from any thread; swapped whole.</summary>
    public EngineStatus Status => Volatile.Read(ref _status);

    /// <summary>Takes a new sequence or reservation in.</summary>
    public void Add(Claim claim)
    {
        if (!_healthy) Refuse(claim, FinishReason.Error, "the engine is unhealthy");
        else if (claim.IsUnwanted) Refuse(claim, FinishReason.Abort, null);
        else if (claim is Sequence { Request.FirstToken: { } first } sequence) Resume(sequence, first);
        else _scheduler.Enqueue(claim);
    }

    /// <summary>
    /// Ends a sequence in whatever state it is. One that is not known yet is caught by <see cref="Add"/>; of one that has parked,
    /// blocks that nobody has taken over go back: whoever dequeues the event owns them.
    /// </summary>
    public void Abort(Sequence sequence)
    {
        if (sequence.State is ClaimState.Waiting or ClaimState.Running) Finish(sequence, FinishReason.Abort, null);
        else if (sequence is { State: ClaimState.Ended, HasParked: true }) sequence.TakeBack();
    }

    /// <summary>The holder of a reservation, or the caller who waited for it, no longer wants it.</summary>
    public void Cancel(Reservation reservation)
    {
        if (reservation.State is ClaimState.Waiting or ClaimState.Reserved) End(reservation);
    }

    /// <summary>Ends what waits or runs. Reservations held and parked blocks stay: another engine may be reading or writing them.</summary>
    public void EndAll(FinishReason reason, string? error)
    {
        foreach (var claim in _scheduler.Claims()) Refuse(claim, reason, error);
    }

    /// <summary>After a defect, with the state in doubt: tells everybody and touches nothing else.</summary>
    public void Break(string error)
    {
        _healthy = false;
        Publish();
        foreach (var (sequence, _, _) in _outbox) sequence.Fail(error);
        foreach (var claim in _scheduler.Claims()) claim.Fail(error);
    }

    /// <summary>One step. False: nothing can be done until something arrives or is released.</summary>
    public bool Step()
    {
        _scheduler.Plan(_plan);
        foreach (var reservation in _plan.Granted) Grant(reservation);
        foreach (var sequence in _plan.Admitted) _metrics.Admitted(sequence);
        _metrics.Preempted(_plan.Preempted);
        if (_plan.Parts.Count > 0) Run();
        Flush();
        return _plan.Parts.Count + _plan.Granted.Count + _plan.Preempted > 0;
    }

    /// <summary>Publishes the state, then sends what happened.</summary>
    public void Flush()
    {
        Publish();
        foreach (var (sequence, output, last) in _outbox) sequence.Write(output, last);
        _outbox.Clear();
    }

    private void Refuse(Claim claim, FinishReason reason, string? error)
    {
        if (claim is Sequence sequence)
        {
            Finish(sequence, reason, error);
        }
        else if (claim is Reservation reservation)
        {
            End(reservation);
            reservation.Fail(error ?? "the engine stops");
        }
    }

    /// <summary>The prompt's KV was written by somebody else, and its first token sampled there.</summary>
    private void Resume(Sequence sequence, SampledToken first)
    {
        _scheduler.Activate(sequence);
        _metrics.Admitted(sequence);
        _metrics.Token(sequence, here: false);
        Accept(sequence, first, logits: null);
    }

    private void Accept(Sequence sequence, SampledToken token, float[]? logits)
    {
        if (!sequence.Matches(token.Id))
        {
            Finish(sequence, FinishReason.Error, Strayed);
            return;
        }
        var index = sequence.Generated;
        var finish = sequence.Append(token.Id);
        var park = finish is null ? sequence.Request.ParkAfterFirstToken : sequence.Request.ParkWhenFinished;
        var last = park || finish is not null;
        var parked = park ? Park(sequence) : null;
        _outbox.Add((sequence, new()
        {
            Index = index,
            Token = token,
            Finish = finish,
            Parked = parked,
            CachedTokens = index == 0 ? sequence.CachedTokens ?? 0 : 0,
            Logits = logits,
        }, last));
        if (!last) return;
        if (!park) _scheduler.End(sequence);
        Leave(sequence, finish);
    }

    private ParkedKv Park(Sequence sequence)
    {
        var parked = _scheduler.Park(sequence);
        sequence.HasParked = true;
        return new([.. parked.Table.Blocks, .. parked.Table.StateBlocks], sequence.PromptLength, () => _post(() => _scheduler.Unpark(parked))) { ImagesDigest = sequence.ImagesDigest };
    }

    private void Grant(Reservation reservation)
    {
        var granted = new KvReservation([.. reservation.Table.Blocks, .. reservation.Table.StateBlocks], reservation.CachedBlocks, () => _post(() => Cancel(reservation))) { Claim = reservation, ImagesDigest = reservation.ImagesDigest };
        if (!reservation.TryGrant(granted)) End(reservation);
    }

    /// <summary>Ends a sequence without a token.</summary>
    private void Finish(Sequence sequence, FinishReason reason, string? error)
    {
        _scheduler.End(sequence);
        _outbox.Add((sequence, new() { Index = sequence.Generated, Finish = reason, Error = error }, true));
        Leave(sequence, reason);
    }

    private void Leave(Sequence sequence, FinishReason? reason)
    {
        _metrics.Ended(sequence, reason);
        _ended();
    }

    private void End(Reservation reservation)
    {
        _scheduler.End(reservation);
        _ended();
    }

    private void Publish() => Volatile.Write(ref _status, new()
    {
        Running = _scheduler.Running,
        Waiting = _scheduler.Waiting,
        BlocksTotal = _pool.Total,
        BlocksUsed = _pool.Total - _pool.Free,
        BlocksFree = _pool.Free,
        BlocksCached = _pool.Cached,
        BlocksParked = _pool.Parked,
        ParkedSequences = _scheduler.Parked,
        StateSlotsTotal = _pool.States?.Total ?? 0,
        StateSlotsUsed = _pool.States is { } states ? states.Total - states.Free : 0,
        Preemptions = _metrics.Preemptions,
        PromptTokens = _metrics.PromptTokens,
        GeneratedTokens = _metrics.GeneratedTokens,
        PrefixHitTokens = _metrics.PrefixHitTokens,
        DraftedTokens = _metrics.DraftedTokens,
        AcceptedTokens = _metrics.AcceptedTokens,
        Steps = _metrics.Steps,
        LastStep = _metrics.LastStep,
        Healthy = _healthy,
    });
}
