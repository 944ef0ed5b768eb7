using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>RoPE parameters in either spelling: <c>rope_parameters</c>, or <c>rope_theta</c> with an optional <c>rope_scaling</c>.</summary>
internal sealed record RopeConfig(double Theta, YarnScaling? Yarn)
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
            "yarn" => new(theta, ReadYarn(scaling, maxPositions)),
            var other => throw scaling.Bad(field, $"'{other}' is not supported (default and yarn are)"),
        };
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
