using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>A checkpoint to be written: its configuration and what its tensors hold.</summary>
internal sealed class TensorPlan
{
    private readonly Dictionary<string, PlannedTensor> _tensors = new(StringComparer.Ordinal);

    public JsonObject Config { get; } = [];

    /// <summary>Where the fields of the language model are.</summary>
    public JsonObject Text => Config["text_config"] as JsonObject ?? Config;

    public IReadOnlyDictionary<string, PlannedTensor> Tensors => _tensors;

    /// <summary>A linear layer: outputs of the size of its inputs.</summary>
    public void Matrix(string name, params int[] shape) => Add(name, shape, mean: 0, deviation: 1 / Math.Sqrt(shape[^1]));

    /// <summary>A norm's weights, around one.</summary>
    public void Norm(string name, int length) => Add(name, [length], mean: 1, deviation: 0.2);

    /// <summary>Norm weights stored without their one.</summary>
    public void CentredNorm(string name, int length) => Add(name, [length], mean: 0, deviation: 0.2);

    public void Normal(string name, double deviation, params int[] shape) => Add(name, shape, mean: 0, deviation);

    /// <summary>I64 indices below <paramref name="limit"/>, different within a row.</summary>
    public void Indices(string name, int rows, int columns, int limit) => _tensors.Add(name, new([rows, columns], 0, 0, limit));

    public void Remove(string name) => Assert.True(_tensors.Remove(name), $"there is no {name}");

    private void Add(string name, int[] shape, double mean, double deviation) => _tensors.Add(name, new(shape, mean, deviation, null));
}

/// <param name="Shape">Of the tensor.</param>
/// <param name="Mean">Of the numbers.</param>
/// <param name="Deviation">Of the numbers.</param>
/// <param name="Limit">Not null: indices below it instead of numbers.</param>
internal sealed record PlannedTensor(int[] Shape, double Mean, double Deviation, int? Limit)
{
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);
}
