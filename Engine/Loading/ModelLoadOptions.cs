namespace NanoAspire.Engine.Loading;

/// <summary>How a model is kept in memory and how large its steps may be. <see cref="Validate"/> runs at load.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>
    /// Type the weights are kept in: <c>auto</c> (as in the checkpoint), <c>f32</c> or <c>bf16</c>. Activations are float32 always, and a bfloat16
    /// weight is exactly its float32 value, so <c>f32</c> changes no result of a bfloat16 checkpoint; it only costs memory.
    /// </summary>
    public string DType { get; init; } = "auto";
    /// <summary>Type of the KV cache: <c>auto</c> (f32, as the activations), <c>f32</c>, <c>bf16</c> (half the memory, keys and values rounded) or <c>fp8_e4m3</c> (about a quarter, rounded to three bits of mantissa with a factor a row).</summary>
    public string KvDType { get; init; } = "auto";
    /// <summary>Upper bound of the KV pool in bytes; null: a quarter of the machine's memory, at most 4 GiB. The pool is never larger than <see cref="MaxSequences"/> full contexts, and costs memory only as blocks are first used.</summary>
    public long? KvMemoryBytes { get; init; }
    /// <summary>Tokens a block: 16, 32, 64, 128 or 256.</summary>
    public int BlockSize { get; init; } = 64;
    /// <summary>Keep the KV pool in memory that other processes on this machine can map, where there is such memory: decode engines read it with one copy.</summary>
    public bool ShareKvMemory { get; init; }
    /// <summary>Have UCX allocate the KV pool, where there is UCX: versions before 1.16 read no other memory of this machine one-sidedly. Such memory is reserved whole.</summary>
    public bool UcxKvMemory { get; init; }
    /// <summary>Load the module that drafts tokens (<c>--speculative mtp</c>): its weights, and its part of the KV memory. Without it its tensors are left alone.</summary>
    public bool DraftModule { get; init; }
    /// <summary>Threads of a step, the caller's included.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
    /// <summary>Most tokens of one step.</summary>
    public int MaxBatchedTokens { get; init; } = 2048;
    /// <summary>Sequences that run at once; bounds the KV pool and the state slots.</summary>
    public int MaxSequences { get; init; } = 64;
    /// <summary>Null: the model's <c>max_position_embeddings</c>.</summary>
    public int? MaxModelLength { get; init; }

    public IEnumerable<string> Validate()
    {
        if (DType is not ("auto" or "f32" or "bf16")) yield return $"dtype must be auto, f32 or bf16, not '{DType}'";
        if (KvDType is not ("auto" or "f32" or "bf16" or "fp8_e4m3")) yield return $"kv-dtype must be auto, f32, bf16 or fp8_e4m3, not '{KvDType}'";
        if (KvMemoryBytes is < 1) yield return "kv-memory must be positive";
        if (BlockSize is not (16 or 32 or 64 or 128 or 256)) yield return $"kvcache-block-size must be 16, 32, 64, 128 or 256, not {BlockSize}";
        if (Threads is < 1 or > 1024) yield return "threads must be between 1 and 1024";
        if (MaxBatchedTokens < 1) yield return "max-num-batched-tokens must be at least 1";
        if (MaxSequences < 1) yield return "max-num-seqs must be at least 1";
        if (MaxModelLength is < 1) yield return "max-model-len must be at least 1";
    }
}
