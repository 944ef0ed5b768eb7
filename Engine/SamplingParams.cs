namespace NanoAspire.Engine;

/// <summary>How one sequence is sampled and when it ends. Values are validated by the surface that made them; see <see cref="Validate"/>.</summary>
public sealed record SamplingParams
{
    /// <summary>0 (below 1e-5) is greedy: the lowest id among the largest logits.</summary>
    public float Temperature { get; init; } = 1;
    public float TopP { get; init; } = 1;
    /// <summary>0 or -1 keeps the whole vocabulary.</summary>
    public int TopK { get; init; }
    public float MinP { get; init; }
    public float RepetitionPenalty { get; init; } = 1;
    public float PresencePenalty { get; init; }
    public float FrequencyPenalty { get; init; }
    /// <summary>With a seed, the draw for a position depends on seed and position alone: batching, preemption and hand-off do not change it.</summary>
    public long? Seed { get; init; }
    /// <summary>Null: up to the model's context.</summary>
    public int? MaxTokens { get; init; }
    public int MinTokens { get; init; }
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];
    public bool IgnoreEos { get; init; }
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();
    /// <summary>Null: none. 0: the sampled token's own. n: and the n most likely ones (at most 20).</summary>
    public int? Logprobs { get; init; }

    public bool Greedy => Temperature < 1e-5f;

    /// <summary>The first rule the values break, as (parameter in OpenAI's spelling, message), or null.</summary>
    public (string Parameter, string Message)? Validate() => this switch
    {
        { Temperature: not (>= 0 and <= 2) } => ("temperature", "temperature must be between 0 and 2"),
        { TopP: not (> 0 and <= 1) } => ("top_p", "top_p must be greater than 0 and at most 1"),
        { TopK: < -1 } => ("top_k", "top_k must be -1, 0 or positive"),
        { MinP: not (>= 0 and <= 1) } => ("min_p", "min_p must be between 0 and 1"),
        { RepetitionPenalty: not (> 0 and <= 10) } => ("repetition_penalty", "repetition_penalty must be greater than 0 and at most 10"),
        { PresencePenalty: not (>= -2 and <= 2) } => ("presence_penalty", "presence_penalty must be between -2 and 2"),
        { FrequencyPenalty: not (>= -2 and <= 2) } => ("frequency_penalty", "frequency_penalty must be between -2 and 2"),
        { MaxTokens: <= 0 } => ("max_tokens", "max_tokens must be at least 1"),
        { MinTokens: < 0 } => ("min_tokens", "min_tokens must not be negative"),
        { Logprobs: < 0 or > 20 } => ("top_logprobs", "top_logprobs must be between 0 and 20"),
        _ when LogitBias.Values.Any(bias => bias is not (>= -100 and <= 100)) => ("logit_bias", "logit_bias values must be between -100 and 100"),
        _ => null,
    };
}
