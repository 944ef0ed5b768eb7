namespace NanoAspire.Protocol.OpenAI;

/// <summary>Answer of <c>GET /v1/models</c>.</summary>
public sealed record ModelList
{
    public string Object { get; init; } = "list";
    public required IReadOnlyList<ModelCard> Data { get; init; }
}

public sealed record ModelCard
{
    public required string Id { get; init; }
    public string Object { get; init; } = "model";
    public required long Created { get; init; }
    public string OwnedBy { get; init; } = "nanoaspire";
    /// <summary>The name that aliases stand for.</summary>
    public string? Root { get; init; }
    public int? MaxModelLen { get; init; }
    /// <summary>What the engine does beyond OpenAI's contract, for routers that do not know it from a control plane.</summary>
    public IReadOnlyList<string>? Capabilities { get; init; }
}
