namespace NanoAspire.Protocol.Wire;

/// <summary>What an engine can do for a request.</summary>
public enum EngineRole
{
    /// <summary>Both phases in one process.</summary>
    Hybrid,
    /// <summary>Computes prompts, samples the first token, parks the KV blocks for a decode engine.</summary>
    Prefill,
    /// <summary>Pulls parked KV blocks and generates the rest.</summary>
    Decode,
    /// <summary>Turns images into embeddings.</summary>
    Encoder,
}

/// <summary>One engine as routers see it: an entity of kind <c>dlengine</c> in the control plane.</summary>
public sealed record EngineDescriptor
{
    /// <summary>Entity id: <c>dlengine-{served name}-{host}:{port}</c>.</summary>
    public required string Id { get; init; }
    public required EngineRole Role { get; init; }
    /// <summary>Base address of the engine's OpenAI server, no trailing slash.</summary>
    public required string Url { get; init; }
    /// <summary>Names the engine answers to, the served name first; no duplicates.</summary>
    public required IReadOnlyList<string> Models { get; init; }
    /// <summary>Changes on every start of the engine process: a restarted engine is never mistaken for the old one.</summary>
    public string? Incarnation { get; init; }
    /// <summary>Digest of model, dtype and KV layout; decode may only pull from a prefill engine with the same one.</summary>
    public string? KvDigest { get; init; }
    /// <summary>What the engine does beyond the basic contract, e.g. <c>kv_pulled_at_first_token</c>.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    /// <summary>True while the engine finishes what it has and takes nothing new.</summary>
    public bool Draining { get; init; }
}
