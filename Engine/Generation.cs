using System.Threading.Channels;
using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine;

public enum FinishReason
{
    /// <summary>An EOS or stop token.</summary>
    Stop,
    /// <summary>max_tokens or the context is used up.</summary>
    Length,
    /// <summary>The client left or the caller aborted.</summary>
    Abort,
    /// <summary>The engine could not go on; see <see cref="GenerationOutput.Error"/>.</summary>
    Error,
}

/// <summary>One sequence to generate.</summary>
public sealed record GenerationRequest
{
    public required IReadOnlyList<int> PromptTokens { get; init; }
    public required SamplingParams Sampling { get; init; }
    /// <summary>What stands behind the placeholders of the prompt, in its order; for models that take images (<see cref="ModelInfo.Images"/>).</summary>
    public IReadOnlyList<PromptImage> Images { get; init; } = [];
    /// <summary>Prefill side: stop after the first token and keep the prompt's blocks (<see cref="GenerationOutput.Parked"/>), unless that token ends the sequence.</summary>
    public bool ParkAfterFirstToken { get; init; }
    /// <summary>
    /// Park even when the first token ends the sequence: other choices of the request need the prompt's KV.
    /// Without <see cref="ParkAfterFirstToken"/>: park the prompt's blocks whenever the sequence ends with a token; not in recurrent models,
    /// whose state has gone on by then.
    /// </summary>
    public bool ParkWhenFinished { get; init; }
    /// <summary>
    /// Decode side: blocks that already hold the whole prompt's KV, reserved for this very prompt. The loop owns them once <c>Submit</c>
    /// has returned; when it throws, they are still the caller's.
    /// </summary>
    public KvReservation? Reservation { get; init; }
    /// <summary>Decode side, with <see cref="Reservation"/>: the token that prefill sampled. It is emitted first, then decoding goes on.</summary>
    public SampledToken? FirstToken { get; init; }
    /// <summary>
    /// How many of <see cref="PromptTokens"/>, at their end, an earlier run of this sequence has generated: to penalties and
    /// min_tokens they are output. They count as prompt in all else; max_tokens is what is left to generate.
    /// </summary>
    public int ResumedTokens { get; init; }
    /// <summary>
    /// What the output must look like; null for anything. Tokens that end the sequence are then sampled only where the output may
    /// end, and <see cref="SamplingParams.IgnoreEos"/> has no effect. <see cref="ResumedTokens"/> and <see cref="FirstToken"/> count as output.
    /// </summary>
    public CompiledGrammar? Constraint { get; init; }
    /// <summary>Copies the logits row of each sampled token into its output (offline mode and tests).</summary>
    public bool CaptureLogits { get; init; }
}

/// <param name="Id">Vocabulary id.</param>
/// <param name="Logprob">Natural log of the token's probability before temperature; null unless asked for.</param>
/// <param name="TopLogprobs">The most likely tokens, most likely first; null unless asked for.</param>
public sealed record SampledToken(int Id, float? Logprob = null, IReadOnlyList<(int Id, float Logprob)>? TopLogprobs = null);

/// <summary>One event of a sequence. The last one has <see cref="Finish"/> or <see cref="Parked"/> set (or both, see <see cref="GenerationRequest.ParkWhenFinished"/>).</summary>
public sealed record GenerationOutput
{
    /// <summary>Place among the generated tokens; the first is 0.</summary>
    public int Index { get; init; }
    /// <summary>Null only for an event without a token (abort, error).</summary>
    public SampledToken? Token { get; init; }
    public FinishReason? Finish { get; init; }
    /// <summary>With <see cref="FinishReason.Error"/>: what happened, in one line.</summary>
    public string? Error { get; init; }
    public ParkedKv? Parked { get; init; }
    /// <summary>Prompt tokens that came from this engine's prefix cache; on the event of the first token, 0 on the others.</summary>
    public int CachedTokens { get; init; }
    public float[]? Logits { get; init; }
}

/// <summary>A sequence in the engine. Disposing it before the end aborts it: its blocks are free within one step.</summary>
public sealed class GenerationHandle(long id, ChannelReader<GenerationOutput> outputs, Action abort) : IDisposable
{
    public long Id { get; } = id;
    /// <summary>Bounded by the sequence's own token budget, so a slow reader never holds up the batch. Completes after the last event.</summary>
    public ChannelReader<GenerationOutput> Outputs { get; } = outputs;
    /// <summary>
    /// Idempotent; a finished sequence is not affected, except that parked blocks whose event was not read yet are released with it
    /// (<see cref="Outputs"/> then completes without that event).
    /// </summary>
    public void Abort() => abort();
    public void Dispose() => Abort();
}

/// <summary>
/// Blocks of a prefilled prompt that outlive their sequence until <see cref="Release"/>; their content does not change before.
/// They stay in the prefix cache after it. The engine loop keeps no clock on them: whoever holds this holds the lease.
/// </summary>
/// <param name="blocks">In token order; those of the recurrent state, if there is one, after them.</param>
/// <param name="tokenCount">Prompt tokens whose KV they hold.</param>
/// <param name="release">Gives the blocks back to the engine loop; called at most once, from any thread.</param>
public sealed class ParkedKv(IReadOnlyList<int> blocks, int tokenCount, Action release)
{
    private Action? _release = release;
    public IReadOnlyList<int> Blocks { get; } = blocks;
    public int TokenCount { get; } = tokenCount;
    /// <summary>Of the prompt's images, whose KV it holds, too; null without images.</summary>
    public string? ImagesDigest { get; init; }
    /// <summary>Idempotent and thread-safe.</summary>
    public void Release() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

/// <summary>Blocks set aside on a decode engine for KV that is about to be pulled. Disposing an unused one frees them.</summary>
/// <param name="blocks">In token order, enough for the prompt; those of the recurrent state, if there is one, after them.</param>
/// <param name="cachedBlocks">Leading blocks that already hold the right content (prefix hits): not to be written.</param>
/// <param name="release">Called at most once unless <see cref="Take"/> was.</param>
public sealed class KvReservation(IReadOnlyList<int> blocks, int cachedBlocks, Action release) : IDisposable
{
    private Action? _release = release;
    public IReadOnlyList<int> Blocks { get; } = blocks;
    public int CachedBlocks { get; } = cachedBlocks;
    /// <summary>Of the images that the prompt is reserved with; null without images.</summary>
    public string? ImagesDigest { get; init; }
    /// <summary>The scheduler's side of it; null when the blocks are not those of an engine loop.</summary>
    internal Reservation? Claim { get; init; }
    /// <summary>Moves ownership to the engine loop. False when the reservation was already taken or disposed.</summary>
    internal bool Take() => Interlocked.Exchange(ref _release, null) is not null;
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

/// <summary>The engine does not take a request; <see cref="Code"/> is the OpenAI error code.</summary>
public sealed class EngineRejectedException(string code, string message) : Exception(message)
{
    public const string QueueFull = "queue_full";
    public const string ContextLengthExceeded = "context_length_exceeded";
    public const string InvalidToken = "invalid_token";
    public const string Draining = "draining";
    public const string Unhealthy = "engine_unhealthy";
    public string Code { get; } = code;
}
