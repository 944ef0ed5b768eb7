using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Scheduling;

/// <summary>
/// Decides what the next step computes: no clock, no I/O, no lock; knows tokens and block ids, never memory.
/// <para>Nobody overtakes the head of the line, a preempted sequence keeps its place in it, and the victim is always the newest:
/// so the oldest sequence only ever moves forward and everybody becomes the oldest one day.</para>
/// </summary>
internal sealed class Scheduler(BlockPool pool, int maxTokens, int maxSequences)
{
    private readonly LinkedList<Claim> _waiting = [];      // by order
    private readonly List<Sequence> _running = [];         // by order
    private readonly HashSet<Reservation> _reserved = [];
    private readonly HashSet<ParkedBlocks> _parked = [];
    private long _lastOrder;

    public int Running => _running.Count;
    public int Waiting => _waiting.Count;
    public int Parked => _parked.Count;

    /// <summary>Everything that waits or runs; a copy.</summary>
    public Claim[] Claims() => [.. _running, .. _waiting];

    public void Enqueue(Claim claim)
    {
        claim.Order = ++_lastOrder;
        claim.State = ClaimState.Waiting;
        claim.Node = _waiting.AddLast(claim);
    }

    /// <summary>A reservation's sequence takes over its blocks and its slot.</summary>
    public void Activate(Sequence sequence)
    {
        var reservation = sequence.Reservation ?? throw new InvalidOperationException("The sequence has no reservation.");
        _reserved.Remove(reservation);
        reservation.State = ClaimState.Ended;
        sequence.Order = reservation.Order;
        sequence.CachedTokens = reservation.CachedBlocks * pool.BlockSize;
        sequence.Computed = sequence.PromptLength;
        sequence.Table.Advance(sequence.Tokens, sequence.Computed, sequence.PromptLength);
        Run(sequence);
    }

    /// <summary>Fills <paramref name="plan"/>: one token of each decode and its drafts, then prompt chunks, then newcomers, within one token budget.</summary>
    public void Plan(StepPlan plan)
    {
        plan.Clear();
        PlanDecodes(plan);
        foreach (var sequence in _running)
        {
            if (!sequence.Decodes) AddChunk(plan, sequence);
        }
        Admit(plan);                                       // a victim of this step does not fit again: somebody took a block of it
    }

    /// <summary>Records what a finished step has computed and publishes the blocks that are now full.</summary>
    public static void Advance(Sequence sequence, int tokens)
    {
        sequence.Computed += tokens;
        sequence.Behind = Math.Max(0, Math.Min(sequence.Behind, sequence.Remaining - 1));
        sequence.Table.Advance(sequence.Tokens, sequence.Computed, sequence.PromptLength);
    }

    /// <summary>Takes a claim out of wherever it is and frees its blocks and its slot.</summary>
    public void End(Claim claim)
    {
        Withdraw(claim);
        claim.Table.Release();
    }

    /// <summary>Ends a running sequence but keeps its prompt's blocks.</summary>
    public ParkedBlocks Park(Sequence sequence)
    {
        Withdraw(sequence);
        sequence.Table.Truncate(pool.BlocksFor(sequence.PromptLength));
        sequence.Table.Rest();
        var parked = new ParkedBlocks(sequence.Table);
        foreach (var id in parked.Table.Blocks) pool.Park(id);
        _parked.Add(parked);
        return parked;
    }

    public void Unpark(ParkedBlocks parked)
    {
        if (!_parked.Remove(parked)) return;
        foreach (var id in parked.Table.Blocks) pool.Unpark(id);
        parked.Table.Release();
    }

    /// <summary>Checks the invariants of queues and blocks; slow, for tests and debugging.</summary>
    /// <exception cref="InvalidOperationException">An invariant is broken; the message says which.</exception>
    public void Validate()
    {
        BlockTable[] tables = [.. _running.Select(s => s.Table), .. _reserved.Select(r => r.Table), .. _parked.Select(p => p.Table)];
        pool.Validate(tables.Select(table => table.Blocks));
        pool.States?.Validate(tables.SelectMany(table => table.StateReferences));
        if (_running.Count + _reserved.Count > maxSequences) throw new InvalidOperationException("More slots are taken than there are.");
        Ordered(_running);
        Ordered(_waiting);
        foreach (var claim in _waiting)
        {
            if (claim.State != ClaimState.Waiting || claim.Table.Blocks.Count != 0 || claim is Sequence { Computed: not 0 })
                throw new InvalidOperationException("A waiting claim holds blocks.");
        }
        foreach (var s in _running)
        {
            if (s.State != ClaimState.Running || s.Remaining < 1 || s.Computed > s.Table.Blocks.Count * pool.BlockSize)
                throw new InvalidOperationException($"Sequence {s.Id}: {s.Computed} of {s.TokenCount} tokens computed in {s.Table.Blocks.Count} blocks.");
        }

        static void Ordered(IEnumerable<Claim> claims)
        {
            if (claims.Zip(claims.Skip(1)).Any(pair => pair.First.Order >= pair.Second.Order)) throw new InvalidOperationException("A queue is out of order.");
        }
    }

    private void PlanDecodes(StepPlan plan)
    {
        var spare = maxTokens;                             // for more than one token each
        foreach (var sequence in _running) if (sequence.Decodes) spare--;
        for (var i = 0; i < _running.Count; i++)           // the list may lose its end while we walk
        {
            var sequence = _running[i];
            if (!sequence.Decodes) continue;
            while (!sequence.Table.TryGrow(sequence.TokenCount))
            {
                plan.Preempted++;
                Preempt(_running[^1]);
                if (sequence.State != ClaimState.Running) return;
            }
            var tokens = Math.Min(sequence.Remaining, 1 + spare);
            var drafts = Drafts(sequence, spare - (tokens - 1));
            spare -= tokens - 1 + drafts;
            plan.Add(sequence, tokens, drafts);
        }
    }

    /// <summary>How many drafts the next step checks: they get blocks and a state of their own only where nobody has to give any up.</summary>
    private static int Drafts(Sequence sequence, int most)
    {
        // The token after the last draft must still be within the limit.
        var drafts = Math.Min(Math.Min(sequence.Drafts.Count, most), sequence.TokenLimit - sequence.TokenCount - 1);
        return drafts > 0 && sequence.MayDraft && sequence.Table.TryGrow(sequence.TokenCount + drafts) && sequence.Table.TryFork() ? drafts : 0;
    }

    private void AddChunk(StepPlan plan, Sequence sequence)
    {
        var tokens = Math.Min(sequence.Remaining, maxTokens - plan.Tokens);
        if (tokens > 0) plan.Add(sequence, sequence.Table.Chunk(sequence.Computed, tokens, sequence.TokenCount));
    }

    private void Admit(StepPlan plan)
    {
        while (_running.Count + _reserved.Count < maxSequences && _waiting.First is { Value: var head })
        {
            if (head is Sequence && plan.Tokens >= maxTokens) return;
            // A sequence computes at least its last token; a reservation computes nothing.
            var maxHits = (head is Sequence ? head.TokenCount - 1 : head.TokenCount) / pool.BlockSize;
            if (!head.Table.TryAllocate(head.Tokens, maxHits, out var hits, resume: head is Sequence)) return;
            _waiting.RemoveFirst();
            head.Node = null;
            if (head is Reservation reservation)
            {
                reservation.CachedBlocks = hits;
                reservation.State = ClaimState.Reserved;
                _reserved.Add(reservation);
                plan.Granted.Add(reservation);
            }
            else if (head is Sequence sequence)
            {
                sequence.Computed = hits * pool.BlockSize;
                if (sequence.CachedTokens is null) plan.Admitted.Add(sequence);
                sequence.CachedTokens ??= sequence.Computed;
                Run(sequence);
                AddChunk(plan, sequence);
            }
        }
    }

    private void Run(Sequence sequence)
    {
        sequence.State = ClaimState.Running;
        var place = _running.Count;
        while (place > 0 && _running[place - 1].Order > sequence.Order) place--;
        _running.Insert(place, sequence);
    }

    /// <summary>Gives a sequence's blocks back; it computes its tokens again when its turn comes, mostly from the cache.</summary>
    private void Preempt(Sequence sequence)
    {
        _running.Remove(sequence);
        sequence.Table.Release();
        (sequence.Computed, sequence.Behind) = (0, 0);
        sequence.Drafts.Clear();
        sequence.DraftContext.Reset();
        sequence.State = ClaimState.Waiting;
        var after = _waiting.First;
        while (after is not null && after.Value.Order < sequence.Order) after = after.Next;
        sequence.Node = after is null ? _waiting.AddLast(sequence) : _waiting.AddBefore(after, sequence);
    }

    private void Withdraw(Claim claim)
    {
        if (claim.Node is { } node) _waiting.Remove(node);
        if (claim.State == ClaimState.Running) _running.Remove((Sequence)claim);
        (claim.Node, claim.State) = (null, ClaimState.Ended);
        if ((claim as Reservation ?? (claim as Sequence)?.Reservation) is not { } reservation) return;
        _reserved.Remove(reservation);
        reservation.State = ClaimState.Ended;
    }
}
