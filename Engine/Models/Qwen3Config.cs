using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Qwen3, by the field names of config.json.</summary>
internal sealed record Qwen3Config : IModelConfig
{
    private const double DefaultEpsilon = 1e-6;

    public required int VocabSize { get; init; }
    public required int MaxPositions { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KvHeads { get; init; }
    /// <summary>Not hidden / heads: Qwen3 chooses it freely.</summary>
    public required int HeadDim { get; init; }
    public required float NormEpsilon { get; init; }
    public required RopeConfig Rope { get; init; }
    public required bool TiedEmbeddings { get; init; }
    /// <summary>Of the <see cref="SparseLayers"/>; null in a dense model.</summary>
    public MixtureConfig? Experts { get; init; }
    public LayerSet SparseLayers { get; init; } = new([]);

    /// <summary>Of all tensors but the head.</summary>
    public string Prefix { get; init; } = "model.";
    /// <summary>Null where there is one position a token.</summary>
    public RopeAxes? Axes { get; init; }
    public ImageInput? Images { get; init; }

    public static IModelConfig Read(ConfigSection config) => ReadDense(config, Qwen3Defaults.Dense);

    /// <summary>Without experts and images.</summary>
    public static Qwen3Config ReadDense(ConfigSection config, Qwen3Defaults defaults)
    {
        var (layers, maxPositions) = (config.PositiveInt("num_hidden_layers", ConfigLimits.Layers), config.PositiveInt("max_position_embeddings"));
        var (hidden, heads) = (config.PositiveInt("hidden_size", ConfigLimits.Columns), config.PositiveInt("num_attention_heads", ConfigLimits.Heads));
        var read = new Qwen3Config
        {
            VocabSize = config.PositiveInt("vocab_size"),
            MaxPositions = maxPositions,
            HiddenSize = hidden,
            IntermediateSize = config.PositiveInt("intermediate_size", ConfigLimits.Columns),
            Layers = layers,
            Heads = heads,
            KvHeads = defaults.ReadKvHeads(config, heads),
            HeadDim = defaults.ReadHeadDim(config, hidden, heads),
            NormEpsilon = (float)config.PositiveNumber("rms_norm_eps", max: 1, DefaultEpsilon),
            Rope = RopeConfig.Read(config, maxPositions, defaults.Theta),
            TiedEmbeddings = config.Flag("tie_word_embeddings", otherwise: false),
        };
        if (read.Heads % read.KvHeads != 0) throw config.Bad("num_attention_heads", $"({read.Heads}) is not a multiple of num_key_value_heads ({read.KvHeads})");
        if (config.OptionalText("hidden_act") is { } activation && activation != "silu") throw config.Bad("hidden_act", $"'{activation}' is not supported (silu is)");
        if (config.Flag("attention_bias", otherwise: false)) throw config.Bad("attention_bias", "true is not supported");
        if (config.Flag("use_sliding_window", otherwise: false)) throw config.Bad("use_sliding_window", "true is not supported");
        var types = config.Texts("layer_types");
        if (types.FirstOrDefault(type => type != "full_attention") is { } other) throw config.Bad("layer_types", $"'{other}' is not supported (full_attention is)");
        if (types.Count > 0 && types.Count != layers) throw config.Bad("layer_types", $"has {types.Count} entries for {layers} layers");
        if (RopeConfig.Share(config, otherwise: 1) is var share && share != 1) throw config.Bad("partial_rotary_factor", $"({share}) is not supported by this architecture");
        return read;
    }

    public bool IsSparse(int layer) => SparseLayers.Contains(layer);

    public CacheGeometry Cache(int blockSize, WeightType type) =>
        new(blockSize, [.. Enumerable.Repeat(new KvGeometry(KvHeads, HeadDim, blockSize, type), Layers)]);

    public IModel Build(WeightReader weights, IKernels kernels, bool drafts) => new Qwen3(this, weights, kernels);

    public bool MayIgnore(string tensor) => Ignorable.RotaryTable(tensor) || (Images is not null && Ignorable.Vision(tensor));
}
