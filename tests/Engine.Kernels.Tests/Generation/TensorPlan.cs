using System.Text.Json.Nodes;
using NanoAspire.Engine.Loading;

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
    public void Indices(string name, int rows, int columns, int limit) => _tensors.Add(name, new([rows, columns], 0, 0, limit) { Type = "I64" });

    /// <summary>Gives a matrix another form: numbers of <paramref name="type"/>, and under a name of their own the factors of their blocks.</summary>
    /// <param name="name">A planned matrix.</param>
    /// <param name="type">F8_E4M3, F4, or I8 or U8 for two 4-bit numbers a byte.</param>
    /// <param name="scale">Name of the factors.</param>
    /// <param name="factors">F8_E8M0 or F32.</param>
    /// <param name="blockRows">That share a factor.</param>
    /// <param name="blockColumns">That share a factor.</param>
    public void Quantise(string name, string type, string scale, string factors, int blockRows, int blockColumns)
    {
        const double E4M3 = 16, E2M1 = 2.9;                                  // deviations of the stored numbers; 4-bit ones are any
        var planned = _tensors[name];
        var (rows, columns) = (planned.Shape[0], planned.Shape[1]);
        var factor = planned.Deviation / (type == "F8_E4M3" ? E4M3 : E2M1);
        _tensors[name] = planned with { Type = type, Shape = [rows, TensorType.IsPacked(type) ? columns / 2 : columns], Deviation = E4M3 };
        int[] blocks = [(rows + blockRows - 1) / blockRows, (columns + blockColumns - 1) / blockColumns];
        _tensors.Add(scale, (factors == "F32" ? new(blocks, factor, factor / 5, null) : new PlannedTensor(blocks, Math.Log2(factor), 1, null)) with { Type = factors });
    }

    /// <summary>Changes how a tensor is planned.</summary>
    public void Change(string name, Func<PlannedTensor, PlannedTensor> change) => _tensors[name] = change(_tensors[name]);

    public void Remove(string name) => Assert.True(_tensors.Remove(name), $"there is no {name}");

    private void Add(string name, int[] shape, double mean, double deviation) => _tensors.Add(name, new(shape, mean, deviation, null));
}

/// <param name="Shape">Of the tensor.</param>
/// <param name="Mean">Of the numbers.</param>
/// <param name="Deviation">Of the numbers.</param>
/// <param name="Limit">Not null: indices below it instead of numbers.</param>
internal sealed record PlannedTensor(int[] Shape, double Mean, double Deviation, int? Limit)
{
    /// <summary>Null: that of the checkpoint. The logarithms of F8_E8M0 are planned, not its numbers.</summary>
    public string? Type { get; init; }

    public long Count => Shape.Aggregate(1L, (a, b) => a * b);
}
