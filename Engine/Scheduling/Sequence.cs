using System.Diagnostics;
using System.Threading.Channels;
using NanoAspire.Engine.Caching;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine.Scheduling;

/// <summary>One request while the engine knows it. Owned by the owner thread; only <see cref="RequestAbort"/> is for others.</summary>
internal sealed class Sequence : Claim
{
    private readonly Channel<GenerationOutput> _outputs;
    private volatile bool _abortRequested;

    /// <param name="id">Of the handle.</param>
    /// <param name="request">What to generate.</param>
    /// <param name="prompt">A copy of the prompt that the sequence owns and extends.</param>
    /// <param name="table">Its blocks, or none yet.</param>
    /// <param name="tokenLimit">Most tokens it can have, prompt included.</param>
    /// <param name="stopIds">Tokens that end it.</param>
    /// <param name="arrived">Timestamp of the submission.</param>
    public Sequence(long id, GenerationRequest request, List<int> prompt, BlockTable table, int tokenLimit, int[] stopIds, long arrived)
        : base(prompt, table, request.Images)
    {
        (Id, Request, PromptLength, TokenLimit, StopIds, Arrived) = (id, request, prompt.Count, tokenLimit, stopIds, arrived);
        Positions = request.Images.Count == 0 ? null : new(prompt.Count, request.Images);
        if (request.Constraint is not null) Follow(request.Constraint);
        RandomKey = (ulong)(request.Sampling.Seed ?? Random.Shared.NextInt64());
        // Every token plus one event without a token (abort, error): writing never fails and never waits.
        _outputs = Channel.CreateBounded<GenerationOutput>(new BoundedChannelOptions(tokenLimit - prompt.Count + 1) { SingleWriter = true });
    }

    public long Id { get; }
    public GenerationRequest Request { get; }
    public int PromptLength { get; }
    /// <summary>Where the output begins; before <see cref="PromptLength"/> when an earlier run has generated some of it.</summary>
    public int OutputStart => PromptLength - Request.ResumedTokens;
    public int TokenLimit { get; }
    public int[] StopIds { get; }
    public ulong RandomKey { get; }
    /// <summary>Null when they are the indices of the tokens.</summary>
    public PromptPositions? Positions { get; }
    /// <summary>Where the output stands in its grammar; null without one.</summary>
    public GrammarMatcher? Matcher { get; private set; }
    /// <summary>Tokens from elsewhere were not what the grammar allows: no other can follow.</summary>
    public bool HasStrayed { get; private set; }
    public Reservation? Reservation { get; init; }

    /// <summary>Leading tokens whose KV exists.</summary>
    public int Computed { get; set; }
    /// <summary>Known tokens without KV: at least one while running, exactly one when decoding, and <see cref="Behind"/> more.</summary>
    public int Remaining => TokenCount - Computed;
    /// <summary>Tokens that were accepted in a step whose recurrent state went on past them: they are computed once more, from the state before.</summary>
    public int Behind { get; set; }
    public bool Decodes => Remaining <= 1 + Behind;
    /// <summary>Guesses of what follows the tokens, for the next step; none is ever part of them before it is checked.</summary>
    public List<int> Drafts { get; } = [];
    /// <summary>Drafts worth checking: one more than were right the last time, and twice as many again once all are.</summary>
    public int DraftLimit { get; private set; } = EngineOptions.MaxSpeculativeTokens;
    /// <summary>Of a draft module.</summary>
    public DraftContext DraftContext { get; } = new();
    /// <summary>Whether the next step can check guesses: not one that ends a prompt, whose KV and state may be wanted for themselves.</summary>
    public bool MayDraft => Generated > 0 && Decodes && Behind == 0;
    public int Generated => TokenCount - PromptLength;
    /// <summary>Prompt tokens found in the cache at the first admission; null before it.</summary>
    public int? CachedTokens { get; set; }

    /// <summary>Its last event carries parked blocks.</summary>
    public bool HasParked { get; set; }

    public long Arrived { get; }

    /// <summary>The span of whoever submitted it.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;
    public long FirstTokenAt { get; set; }
    public long LastTokenAt { get; set; }

    public ChannelReader<GenerationOutput> Outputs => _outputs.Reader;
    public override bool IsUnwanted => _abortRequested;

    /// <summary>Learns from a step that has checked drafts.</summary>
    public void Verified(int drafts, int accepted) =>
        DraftLimit = accepted == drafts ? Math.Min(Math.Max(DraftLimit, 2 * drafts), EngineOptions.MaxSpeculativeTokens) : accepted + 1;

    /// <summary>True for the first call only.</summary>
    public bool RequestAbort() => !Interlocked.Exchange(ref _abortRequested, true);

    /// <summary>Moves the grammar past a token that is about to be appended. False when the grammar does not allow it.</summary>
    public bool Matches(int token)
    {
        if (Matcher is null || StopIds.Contains(token)) return true;
        if (!Matcher.TryAccept(token)) return false;
        Matcher.Prepare();
        return true;
    }

    /// <summary>Appends a generated token.</summary>
    /// <returns>Why the sequence ends with it, or null.</returns>
    public FinishReason? Append(int token)
    {
        AddToken(token);
        if (StopIds.Contains(token)) return FinishReason.Stop;
        return TokenCount >= TokenLimit ? FinishReason.Length : null;
    }

    /// <summary>Releases parked blocks whose event nobody has read.</summary>
    public void TakeBack()
    {
        while (_outputs.Reader.TryRead(out var output)) output.Parked?.Release();
    }

    private void Follow(CompiledGrammar grammar)
    {
        Matcher = new(grammar);
        foreach (var token in Tokens[OutputStart..]) HasStrayed |= !Matcher.TryAccept(token);
        if (!HasStrayed) Matcher.Prepare();
    }

    public override void Fail(string error)
    {
        _outputs.Writer.TryWrite(new() { Index = Generated, Finish = FinishReason.Error, Error = error });
        _outputs.Writer.TryComplete();
    }

    public void Write(GenerationOutput output, bool last)
    {
        if (!_outputs.Writer.TryWrite(output)) throw new InvalidOperationException($"Sequence {Id} has more events than its budget.");
        if (last) _outputs.Writer.Complete();
    }
}
