using System.Text.Json;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>RoPE parameters in either spelling: <c>rope_parameters</c>, or <c>rope_theta</c> with an optional <c>rope_scaling</c>.</summary>
internal sealed record RopeConfig(double Theta, RopeScaling? Scaling)
{
    public const double DefaultTheta = 10000;

    /// <param name="config">Holds them.</param>
    /// <param name="maxPositions">Of the model.</param>
    /// <param name="otherwise">Without <c>rope_theta</c>; null: it must be there.</param>
    public static RopeConfig Read(ConfigSection config, int maxPositions, double? otherwise = DefaultTheta)
    {
        var theta = ReadTheta(config, otherwise);
        if (Section(config) is not { } scaling) return new(theta, null);
        var field = scaling.Has("rope_type") ? "rope_type" : "type";
        var type = scaling.OptionalText(field);
        if (field == "rope_type" && scaling.OptionalText("type") is { } other && other != type) throw scaling.Bad("rope_type", $"'{type}' is not type '{other}'");
        return type switch
        {
            null or "default" => new(theta, null),
            "linear" => new(theta, ReadLinear(scaling)),
            "llama3" => new(theta, ReadLlama3(config, scaling)),
            "yarn" => new(theta, ReadYarn(config, scaling, maxPositions)),
            _ => throw scaling.Bad(field, $"'{type}' is not supported (default, linear, llama3 and yarn are)"),
        };
    }

    /// <summary>Whichever section there is; where both are, they must say the same, but for the base.</summary>
    public static ConfigSection? Section(ConfigSection config)
    {
        var (scaling, parameters) = (NotEmpty("rope_scaling"), NotEmpty("rope_parameters"));
        if (scaling is not null && parameters is not null && !Same(scaling, parameters)) throw config.Bad("rope_parameters", "differs from rope_scaling");
        return scaling ?? parameters;

        ConfigSection? NotEmpty(string field)
        {
            if (config.OptionalSection(field) is not { } section || section.Fields.Count == 0) return null;
            return section.HasSections ? throw config.Bad(field, "by layer type is not supported by this architecture") : section;
        }
    }

    /// <summary>The share of a head's columns that rotate, the same in every place where it is.</summary>
    public static double Share(ConfigSection config, double otherwise)
    {
        const string Field = "partial_rotary_factor";
        var (inner, outer) = (Section(config)?.OptionalPositiveNumber(Field), config.OptionalPositiveNumber(Field));
        return inner is null || outer is null || inner == outer ? inner ?? outer ?? otherwise : throw config.Bad(Field, $"is {inner} in one place and {outer} in another");
    }

    /// <summary>A base that turns later pairs slower.</summary>
    public static double CheckTheta(ConfigSection config, string field, double theta) => theta > 1 ? theta : throw config.Bad(field, $"({theta}) must be more than 1");

    /// <summary>The same in every place where it is: implementations differ in which of them they believe.</summary>
    private static double ReadTheta(ConfigSection config, double? otherwise)
    {
        double? theta = null;
        foreach (var place in (ConfigSection?[])[config.OptionalSection("rope_scaling"), config.OptionalSection("rope_parameters"), config])
        {
            if (place?.OptionalPositiveNumber("rope_theta") is not { } here) continue;
            if (theta is { } before && before != here) throw config.Bad("rope_theta", $"is {before} in one place and {here} in another");
            theta = CheckTheta(place, "rope_theta", here);
        }
        return theta ?? otherwise ?? throw config.Bad("rope_theta", "is missing");
    }

    private static bool Same(ConfigSection a, ConfigSection b)
    {
        var (left, right) = (Meaning(a), Meaning(b));
        return left.Count == right.Count && left.All(field => right.TryGetValue(field.Key, out var other) && JsonElement.DeepEquals(field.Value, other));

        static Dictionary<string, JsonElement> Meaning(ConfigSection section) => section.Fields
            .Where(field => field.Key != "rope_theta" && !(field.Key == "type" && section.Has("rope_type")))
            .ToDictionary(field => field.Key == "type" ? "rope_type" : field.Key, field => field.Value, StringComparer.Ordinal);
    }

    private static double Factor(ConfigSection scaling) => scaling.PositiveNumber("factor", ConfigLimits.Factor);

    private static double ScoreFactor(ConfigSection scaling, double factor) =>
        scaling.OptionalFactor("mscale_all_dim") is { } scale ? Math.Pow(YarnScaling.MScale(factor, scale), 2) : 1;

    /// <summary>The length of training, here or beside the section.</summary>
    private static int? OriginalPositions(ConfigSection config, ConfigSection scaling)
    {
        const string Field = "original_max_position_embeddings";
        var (inner, outer) = (scaling.OptionalPositiveInt(Field), config.OptionalPositiveInt(Field));
        return inner is null || outer is null || inner == outer ? inner ?? outer : throw config.Bad(Field, $"({outer}) differs from that of the rotation ({inner})");
    }

    private static LinearScaling ReadLinear(ConfigSection scaling)
    {
        var factor = Factor(scaling);
        return new(factor) { ScoreFactor = ScoreFactor(scaling, factor) };
    }

    private static Llama3Scaling ReadLlama3(ConfigSection config, ConfigSection scaling)
    {
        var factor = Factor(scaling);
        var read = new Llama3Scaling(factor, scaling.PositiveNumber("low_freq_factor", ConfigLimits.Factor), scaling.PositiveNumber("high_freq_factor", ConfigLimits.Factor),
            OriginalPositions(config, scaling) ?? throw scaling.Bad("original_max_position_embeddings", "is missing")) { ScoreFactor = ScoreFactor(scaling, factor) };
        return read.HighFrequencyFactor > read.LowFrequencyFactor ? read : throw scaling.Bad("high_freq_factor", $"({read.HighFrequencyFactor}) must be more than low_freq_factor ({read.LowFrequencyFactor})");
    }

    private static YarnScaling ReadYarn(ConfigSection config, ConfigSection scaling, int maxPositions)
    {
        var original = OriginalPositions(config, scaling) ?? maxPositions;
        var factor = scaling.OptionalPositiveNumber("factor", ConfigLimits.Factor) ?? (double)maxPositions / original;
        var (mscale, mscaleAll) = (scaling.OptionalFactor("mscale"), scaling.OptionalFactor("mscale_all_dim"));
        var attention = scaling.OptionalPositiveNumber("attention_factor", ConfigLimits.Factor)
            ?? (mscale is { } m && mscaleAll is { } all ? YarnScaling.MScale(factor, m) / YarnScaling.MScale(factor, all) : YarnScaling.MScale(factor));
        return new()
        {
            Factor = factor,
            OriginalMaxPositions = original,
            BetaFast = scaling.OptionalFactor("beta_fast") ?? 32,
            BetaSlow = scaling.OptionalFactor("beta_slow") ?? 1,
            Truncate = scaling.Flag("truncate", otherwise: true),
            AttentionFactor = attention,
            ScoreFactor = ScoreFactor(scaling, factor),
        };
    }
}
