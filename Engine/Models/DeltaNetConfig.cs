using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Shapes of Gated DeltaNet layers.</summary>
internal sealed record DeltaNetConfig
{
    public required int KeyHeads { get; init; }
    public required int KeyDim { get; init; }
    public required int ValueHeads { get; init; }
    public required int ValueDim { get; init; }
    /// <summary>Of the convolution.</summary>
    public required int Taps { get; init; }
    /// <summary>The checkpoint stores q, k, v, z in one tensor and b, a in another, key head by key head.</summary>
    public required bool Fused { get; init; }

    public int KeyColumns => KeyHeads * KeyDim;
    public int ValueColumns => ValueHeads * ValueDim;
    /// <summary>Of the convolution: q, k and v.</summary>
    public int Channels => 2 * KeyColumns + ValueColumns;

    public static DeltaNetConfig Read(ConfigSection config, bool fused)
    {
        var read = new DeltaNetConfig
        {
            KeyHeads = config.PositiveInt("linear_num_key_heads", ConfigLimits.Heads),
            KeyDim = config.PositiveInt("linear_key_head_dim", ConfigLimits.HeadDim),
            ValueHeads = config.PositiveInt("linear_num_value_heads", ConfigLimits.Heads),
            ValueDim = config.PositiveInt("linear_value_head_dim", ConfigLimits.HeadDim),
            Taps = config.PositiveInt("linear_conv_kernel_dim", ConfigLimits.Entries),
            Fused = fused,
        };
        if (read.ValueHeads % read.KeyHeads != 0) throw config.Bad("linear_num_value_heads", $"({read.ValueHeads}) is not a multiple of linear_num_key_heads ({read.KeyHeads})");
        return read;
    }

    /// <summary>What a sequence keeps of one layer.</summary>
    public IEnumerable<StatePlane> States => [new("convolution", Taps - 1, Channels), DeltaShape.Plane(ValueHeads, KeyDim, ValueDim)];

    /// <summary>Stored [q ‖ k ‖ values ‖ z] for each key head.</summary>
    public int PlaceOfQkvz(int row)
    {
        var group = ValueColumns / KeyHeads;
        var (head, i) = (row / (2 * KeyDim + 2 * group), row % (2 * KeyDim + 2 * group));
        if (i < KeyDim) return head * KeyDim + i;
        if (i < 2 * KeyDim) return KeyColumns + head * KeyDim + i - KeyDim;
        i -= 2 * KeyDim;
        return i < group ? 2 * KeyColumns + head * group + i : Channels + head * group + i - group;
    }

    /// <summary>Stored [b ‖ a] for each key head.</summary>
    public int PlaceOfBa(int row)
    {
        var group = ValueHeads / KeyHeads;
        var (head, i) = (row / (2 * group), row % (2 * group));
        return i < group ? head * group + i : ValueHeads + head * group + i - group;
    }
}
