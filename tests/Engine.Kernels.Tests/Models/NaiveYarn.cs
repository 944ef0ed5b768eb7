using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>Rotation with or without YaRN (Peng et al. 2023, section 3.4), with the two factors that DeepSeek gives it.</summary>
/// <param name="columns">Rotated columns of a head.</param>
/// <param name="theta">Base of the frequencies.</param>
/// <param name="scaling">Null, or <c>rope_scaling</c> of type <c>yarn</c>.</param>
/// <param name="lengthens">Whether turned rows also grow by the factor of the attention.</param>
internal sealed class NaiveYarn(int columns, double theta, JsonNode? scaling, bool lengthens = true)
{
    private readonly double _factor = (double?)scaling?["factor"] ?? 1;

    /// <summary>Of attention scores.</summary>
    public double ScoreFactor => scaling?["mscale_all_dim"] is { } all ? Math.Pow(Stretch((double)all), 2) : 1;

    private double Length
    {
        get
        {
            if (!lengthens) return 1;
            return scaling?["mscale"] is { } one && scaling["mscale_all_dim"] is { } all ? Stretch((double)one) / Stretch((double)all) : Stretch(1);
        }
    }

    /// <summary>Columns 2i and 2i + 1 are a pair where <paramref name="neighbours"/>, else columns i and i + half.</summary>
    public double[] Turn(double[] row, int position, bool neighbours)
    {
        var (to, half, length) = (new double[columns], columns / 2, Length);
        for (var i = 0; i < half; i++)
        {
            var (a, b) = neighbours ? (2 * i, 2 * i + 1) : (i, i + half);
            var (sin, cos) = Math.SinCos(position * Frequency(i));
            (to[a], to[b]) = ((row[a] * cos - row[b] * sin) * length, (row[b] * cos + row[a] * sin) * length);
        }
        return to;
    }

    /// <summary>Pairs that turn often within the original context keep their frequency, those that turn rarely are slowed by the factor, others lie between.</summary>
    private double Frequency(int pair)
    {
        var plain = Math.Pow(theta, -2.0 * pair / columns);
        if (scaling is null) return plain;
        var low = Math.Max(0, Math.Floor(PairThatTurns((double?)scaling["beta_fast"] ?? 32)));
        var high = Math.Min(columns - 1, Math.Ceiling(PairThatTurns((double?)scaling["beta_slow"] ?? 1)));
        var slowed = Math.Clamp((pair - low) / (high == low ? 0.001 : high - low), 0, 1);
        return plain * (1 - slowed) + plain / _factor * slowed;
    }

    private double PairThatTurns(double times) =>
        columns * Math.Log((double)scaling!["original_max_position_embeddings"]! / (times * 2 * Math.PI)) / (2 * Math.Log(theta));

    private double Stretch(double mscale) => _factor <= 1 ? 1 : 0.1 * mscale * Math.Log(_factor) + 1;
}
