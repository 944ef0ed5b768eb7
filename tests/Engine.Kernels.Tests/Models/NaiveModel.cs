using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>What the models that tests write down once more are made of: rows of double precision and the tensors of a model folder.</summary>
/// <param name="folder">Tensors in float32 or bfloat16.</param>
internal abstract class NaiveModel(string folder)
{
    private const double Tolerance = 1e-3;

    protected JsonNode Config { get; } = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;

    /// <summary>Where the fields of the language model are.</summary>
    protected JsonNode Text => Config["text_config"] ?? Config;

    protected StoredTensors Weights { get; } = StoredTensors.Read(folder);

    protected int Int(string field) => (int)Text[field]!;

    protected double[] Row(string name, int row, int columns) => Numbers(Weights[name].AsSpan(row * columns, columns));

    /// <summary>W · row, of a matrix [outputs, inputs].</summary>
    protected double[] Times(string name, double[] row)
    {
        var (stored, result) = (Weights[name], new double[Weights.Shape(name)[0]]);
        for (var o = 0; o < result.Length; o++)
            for (var i = 0; i < row.Length; i++) result[o] += stored[o * row.Length + i] * row[i];
        return result;
    }

    /// <summary>Root mean square norm.</summary>
    /// <param name="row">Of any length.</param>
    /// <param name="name">Its weights.</param>
    /// <param name="epsilon">Null: that of the configuration.</param>
    protected double[] Norm(double[] row, string name, double? epsilon = null)
    {
        var scale = 1 / Math.Sqrt(row.Sum(value => value * value) / row.Length + (epsilon ?? (double)Text["rms_norm_eps"]!));
        return [.. row.Select((value, i) => value * scale * Weights[name][i])];
    }

    /// <summary>W_down (silu(W_gate h) ⊙ W_up h)</summary>
    protected double[] Gated(string prefix, double[] h) =>
        Times(prefix + "down_proj.weight", Gate(Times(prefix + "gate_proj.weight", h), Times(prefix + "up_proj.weight", h)));

    /// <summary>silu(gate) ⊙ up</summary>
    protected static double[] Gate(double[] gate, double[] up) => [.. gate.Zip(up, (g, u) => g * Sigmoid(g) * u)];

    protected static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    protected static double[] Softmax(double[] scores)
    {
        var powers = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
        var sum = powers.Sum();
        return [.. powers.Select(power => power / sum)];
    }

    protected static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    protected static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    protected static double[] Numbers(ReadOnlySpan<float> values)
    {
        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = values[i];
        return wide;
    }

    /// <summary>Logits of the engine or of the reference.</summary>
    public static void AssertClose(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], Tolerance);
    }
}
