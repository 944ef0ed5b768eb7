namespace NanoAspire.Engine;

/// <summary>What scheduling and serving need to know of a loaded model.</summary>
public sealed record ModelInfo
{
    /// <summary><c>architectures[0]</c> of config.json.</summary>
    public required string Architecture { get; init; }
    public required string ModelType { get; init; }
    public required int VocabSize { get; init; }
    /// <summary><c>max_position_embeddings</c>: prompt and output together.</summary>
    public required int MaxPositions { get; init; }
    /// <summary>Union of the ids in config.json and generation_config.json.</summary>
    public required IReadOnlyList<int> EosTokenIds { get; init; }
    /// <summary>Null for a model of text alone.</summary>
    public ImageInput? Images { get; init; }
    /// <summary>Bytes of weights as kept in memory or mapped.</summary>
    public required long WeightBytes { get; init; }
}
