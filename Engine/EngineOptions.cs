using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine;

/// <summary>Limits of the engine loop. Everything here is bounded; <see cref="Validate"/> runs at start.</summary>
public sealed record EngineOptions
{
    /// <summary>Token budget of one step (prompt chunks and decodes together).</summary>
    public int MaxBatchedTokens { get; init; } = 2048;
    public int MaxSequences { get; init; } = 64;
    /// <summary>Null: the model's <c>max_position_embeddings</c>.</summary>
    public int? MaxModelLength { get; init; }
    /// <summary>Requests beyond <see cref="MaxSequences"/> plus this are refused with <c>queue_full</c>.</summary>
    public int MaxWaiting { get; init; } = 1024;
    public bool PrefixCaching { get; init; } = true;
    /// <summary>How long parked blocks are kept for a decode engine.</summary>
    public TimeSpan HandoffLease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Who guesses tokens ahead; outputs are the same whoever does.</summary>
    public SpeculationMethod Speculation { get; init; }
    /// <summary>Most guesses for one sequence in one step, up to <see cref="MaxSpeculativeTokens"/>.</summary>
    public int SpeculativeTokens { get; init; } = 4;

    /// <summary>As many written tokens as every kind of cache can take back.</summary>
    public const int MaxSpeculativeTokens = 8;

    /// <summary>Name under which the model is served, a tag of the metrics.</summary>
    public string? ModelName { get; init; }

    public IEnumerable<string> Validate()
    {
        if (MaxBatchedTokens < 1) yield return "max-num-batched-tokens must be at least 1";
        if (MaxSequences < 1) yield return "max-num-seqs must be at least 1";
        if (MaxBatchedTokens < MaxSequences) yield return "max-num-batched-tokens must not be smaller than max-num-seqs";
        if (MaxModelLength is < 1) yield return "max-model-len must be at least 1";
        if (MaxWaiting < 1) yield return "max-waiting must be at least 1";
        if (SpeculativeTokens is < 1 or > MaxSpeculativeTokens) yield return $"num-speculative-tokens must be between 1 and {MaxSpeculativeTokens}";
        if (HandoffLease <= TimeSpan.Zero) yield return "handoff-lease must be positive";
    }
}
