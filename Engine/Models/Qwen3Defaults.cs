using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>What Hugging Face's configuration of a Qwen3 family says where config.json says nothing, as far as the families differ.</summary>
internal sealed record Qwen3Defaults
{
    /// <summary>Null: hidden / heads.</summary>
    public int? HeadDim { get; init; }
    /// <summary>Null: its versions differ, so the field must be there.</summary>
    public double? Theta { get; init; }
    /// <summary><c>num_key_value_heads: null</c> stands for as many as there are heads.</summary>
    public bool KvHeadsMayBeNull { get; init; }
    /// <summary>Whether the weights of the chosen experts add up to one.</summary>
    public bool Normalise { get; init; }

    public static Qwen3Defaults Dense { get; } = new() { HeadDim = 128, Theta = RopeConfig.DefaultTheta, KvHeadsMayBeNull = true };
    public static Qwen3Defaults Sparse { get; } = new() { Theta = RopeConfig.DefaultTheta };
    public static Qwen3Defaults Vision { get; } = new() { HeadDim = 128, KvHeadsMayBeNull = true };
    public static Qwen3Defaults SparseVision { get; } = new() { KvHeadsMayBeNull = true, Normalise = true };

    public int ReadHeadDim(ConfigSection config, int hidden, int heads)
    {
        if (HeadDim is not null && config.IsNull("head_dim")) throw config.Bad("head_dim", "null is not supported by this architecture");
        var dim = config.PositiveInt("head_dim", ConfigLimits.HeadDim, HeadDim ?? hidden / heads);
        return dim > 0 && dim % 2 == 0 ? dim : throw config.Bad("head_dim", $"({dim}) is not even");
    }

    public int ReadKvHeads(ConfigSection config, int heads) =>
        config.PositiveInt("num_key_value_heads", ConfigLimits.Heads, KvHeadsMayBeNull && config.IsNull("num_key_value_heads") ? heads : null);
}
