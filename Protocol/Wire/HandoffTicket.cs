namespace NanoAspire.Protocol.Wire;

/// <summary>
/// Everything a decode engine needs to take over a prefilled sequence: where its KV blocks are, how to tell that they are
/// the right ones, and the first token. Travels base64url-encoded as <c>kv_transfer_params.migration</c>; routers never look inside.
/// </summary>
public sealed record HandoffTicket
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;
    /// <summary>Names the parked sequence on its prefill engine; <c>/pd/free</c> takes it.</summary>
    public required long SeqId { get; init; }
    public required string EngineId { get; init; }
    public required string Incarnation { get; init; }
    /// <summary>Unix milliseconds by the prefill engine's clock; after it the blocks may be reused.</summary>
    public required long LeaseExpiresMs { get; init; }
    /// <summary>Digest of model, dtype and KV layout (<see cref="EngineDescriptor.KvDigest"/>).</summary>
    public required string KvDigest { get; init; }
    public required int BlockSize { get; init; }
    public required long BlockBytes { get; init; }
    /// <summary>Prompt tokens whose KV is parked.</summary>
    public required int PromptTokens { get; init; }
    /// <summary>XXH64 over the prompt ids as little-endian int32, in hex: decode must have tokenised the same prompt.</summary>
    public required string PromptHash { get; init; }
    /// <summary>SHA-256 over place, grid and rows of the prompt's images, in hex; null for text: placeholders say nothing of what they stand for.</summary>
    public string? ImagesDigest { get; init; }
    /// <summary>Block ids at the source, in token order.</summary>
    public required int[] Blocks { get; init; }
    /// <summary>XXH64 of each block's bytes, same order as <see cref="Blocks"/>.</summary>
    public required ulong[] Checksums { get; init; }
    /// <summary>How to reach the source's memory.</summary>
    public required KvEndpoint Source { get; init; }
    public required HandoffToken FirstToken { get; init; }
    /// <summary>Set when the first token already ended this choice (only parked because other choices need the prompt's KV).</summary>
    public string? FirstFinishReason { get; init; }
    /// <summary>W3C trace context of the prefill span: decode's <c>kv.pull</c> span links to it.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>One sampled token as it crosses processes.</summary>
public sealed record HandoffToken
{
    public required int Id { get; init; }
    public float? Logprob { get; init; }
    public HandoffLogprob[]? TopLogprobs { get; init; }
}

public sealed record HandoffLogprob(int Id, float Logprob);

/// <summary>Memory that a peer may read: the transport's name and its own addressing.</summary>
public sealed record KvEndpoint
{
    /// <summary><c>auto</c>, <c>tcp</c>, <c>shm</c>, <c>ucx</c> or <c>loopback</c>.</summary>
    public required string Transport { get; init; }
    /// <summary>Transport address, e.g. <c>127.0.0.1:40123</c>.</summary>
    public required string Address { get; init; }
    /// <summary>Name of the registered region that holds the KV arena.</summary>
    public required string Region { get; init; }
    /// <summary>Incarnation of the region: reads name it, and a source refuses any other.</summary>
    public required string Incarnation { get; init; }
    /// <summary>Bytes of the region.</summary>
    public required long Length { get; init; }
}
