using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>RoPE parameters in either spelling: <c>rope_parameters</c>, or <c>rope_theta</c> with an optional <c>rope_scaling</c>.</summary>
internal sealed record RopeConfig(double Theta, RopeScaling? Scaling)
{
    private const double DefaultTheta = 10000;

    public static RopeConfig Read(ConfigSection config, int maxPositions)
    {
        var parameters = config.OptionalSection("rope_parameters");
        var scaling = parameters ?? config.OptionalSection("rope_scaling");
        if (parameters is not null && scaling!.HasSections) throw config.Bad("rope_parameters", "by layer type is not supported by this architecture");
        var theta = parameters?.OptionalPositiveNumber("rope_theta") ?? config.OptionalPositiveNumber("rope_theta") ?? DefaultTheta;
        if (scaling is null) return new(theta, null);
        var field = scaling.Has("rope_type") ? "rope_type" : "type";
        return scaling.OptionalText(field) switch
        {
            null or "default" => new(theta, null),
            "linear" => new(theta, new LinearScaling(scaling.PositiveNumber("factor"))),
            "llama3" => new(theta, ReadLlama3(scaling)),
            "yarn" => new(theta, ReadYarn(scaling, maxPositions)),
            var other => throw scaling.Bad(field, $"'{other}' is not supported (default, linear, llama3 and yarn are)"),
        };
    }

    private static Llama3Scaling ReadLlama3(ConfigSection scaling)
    {
        var read = new Llama3Scaling(scaling.PositiveNumber("factor"), scaling.PositiveNumber("low_freq_factor"), scaling.PositiveNumber("high_freq_factor"), scaling.PositiveInt("original_max_position_embeddings"));
        return read.HighFrequencyFactor > read.LowFrequencyFactor ? read : throw scaling.Bad("high_freq_factor", $"({read.HighFrequencyFactor}) must be more than low_freq_factor ({read.LowFrequencyFactor})");
    }

    private static YarnScaling ReadYarn(ConfigSection scaling, int maxPositions)
    {
        var original = scaling.OptionalPositiveInt("original_max_position_embeddings") ?? maxPositions;
        var factor = scaling.OptionalPositiveNumber("factor") ?? (double)maxPositions / original;
        var (mscale, mscaleAll) = (scaling.OptionalFactor("mscale"), scaling.OptionalFactor("mscale_all_dim"));
        var attention = scaling.OptionalPositiveNumber("attention_factor")
            ?? (mscale is { } m && mscaleAll is { } all ? YarnScaling.MScale(factor, m) / YarnScaling.MScale(factor, all) : YarnScaling.MScale(factor));
        return new()
        {
            Factor = factor,
            OriginalMaxPositions = original,
            BetaFast = scaling.OptionalPositiveNumber("beta_fast") ?? 32,
            BetaSlow = scaling.OptionalPositiveNumber("beta_slow") ?? 1,
            Truncate = scaling.Flag("truncate", otherwise: true),
            AttentionFactor = attention,
            ScoreFactor = mscaleAll is { } scoreScale ? Math.Pow(YarnScaling.MScale(factor, scoreScale), 2) : 1,
        };
    }
}
