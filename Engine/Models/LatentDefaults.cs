using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>
/// What Hugging Face's configuration of a family with latent attention says where config.json says nothing. Null: implementations of the
/// family differ, or there is none of theirs, so the field must be there.
/// </summary>
internal sealed record LatentDefaults
{
    public int? QueryRank { get; init; }
    public int? SharedExperts { get; init; }
    /// <summary>Layers before the first with experts.</summary>
    public int? DenseLayers { get; init; }
    public int? Groups { get; init; }
    public int? TopGroups { get; init; }
    public double? Scale { get; init; }
    public double? Epsilon { get; init; }
    public double? Theta { get; init; }

    public static LatentDefaults DeepSeekV3 { get; } = new()
    {
        QueryRank = 1536, SharedExperts = 1, DenseLayers = 3, Groups = 8, TopGroups = 4, Scale = 2.5, Epsilon = 1e-6, Theta = RopeConfig.DefaultTheta,
    };

    /// <summary>Its model type is not among Hugging Face's, and those who added it chose differently.</summary>
    public static LatentDefaults KimiK2 { get; } = new();

    public static LatentDefaults Glm5 { get; } = DeepSeekV3 with { QueryRank = 2048, Groups = 1, TopGroups = 1, Epsilon = 1e-5 };
}
