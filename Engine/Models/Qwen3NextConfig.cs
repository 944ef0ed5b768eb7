using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Qwen3-Next and Qwen3.5-MoE: Gated DeltaNet layers with a full attention layer every few, experts in both.</summary>
internal sealed record Qwen3NextConfig : IModelConfig
{
    private const double DefaultEpsilon = 1e-6, DefaultRotary = 0.25;
    private const int DefaultInterval = 4, DefaultHeadDim = 256, DefaultSharedSize = 512;
    private static readonly int[] DefaultSections = [11, 11, 10];
    private const string Full = "full_attention", Linear = "linear_attention";

    public required int VocabSize { get; init; }
    public required int MaxPositions { get; init; }
    public required int HiddenSize { get; init; }
    public required int Layers { get; init; }
    public required LayerSet FullLayers { get; init; }
    public required int Heads { get; init; }
    public required int KvHeads { get; init; }
    public required int HeadDim { get; init; }
    /// <summary>Leading columns of a head that rotate.</summary>
    public required int RotaryDim { get; init; }
    public required bool GatedAttention { get; init; }
    public required DeltaNetConfig DeltaNet { get; init; }
    public required MixtureConfig Experts { get; init; }
    public required LayerSet SparseLayers { get; init; }
    /// <summary>Of the layers that are not sparse; 0 where there are none.</summary>
    public required int IntermediateSize { get; init; }
    public required float NormEpsilon { get; init; }
    public required RopeConfig Rope { get; init; }
    public required bool TiedEmbeddings { get; init; }
    /// <summary>Null where there is one position a token.</summary>
    public RopeAxes? Axes { get; init; }
    public ImageInput? Images { get; init; }
    /// <summary>Of all tensors but the head.</summary>
    public required string Prefix { get; init; }

    /// <summary>Qwen3-Next: one configuration, fused projections.</summary>
    public static IModelConfig ReadNext(ConfigSection config) => Read(config, "model.", fused: true, config.Flag("tie_word_embeddings", otherwise: false));

    /// <summary>Qwen3.5-MoE: a text model beside a vision tower, which is not needed for text.</summary>
    public static IModelConfig ReadMultimodal(ConfigSection config)
    {
        var text = config.OptionalSection("text_config") ?? throw config.Bad("text_config", "is missing");
        var read = Read(text, "model.language_model.", fused: false, Qwen3VLConfig.ReadTied(config, text, otherwise: false));
        // Its reference has experts in every layer and always normalises.
        if (!read.Experts.Router.Normalise) throw text.Bad("norm_topk_prob", "false is not supported by this architecture");
        if (read.SparseLayers.Count < read.Layers) throw text.Bad(text.Counts("mlp_only_layers").Count > 0 ? "mlp_only_layers" : "decoder_sparse_step", "is not supported by this architecture");
        var images = Qwen3VLConfig.ReadImages(config, read.HiddenSize, read.VocabSize, deepstackLayers: 0);
        if (images?.DeepstackLayers > 0) throw config.Bad("vision_config", "has deepstack_visual_indexes, which this architecture does not support");
        return read with { Axes = Qwen3VLConfig.ReadAxes(text, read.RotaryDim / 2, images, DefaultSections), Images = images };
    }

    private static Qwen3NextConfig Read(ConfigSection config, string prefix, bool fused, bool tied)
    {
        var (layers, maxPositions) = (config.PositiveInt("num_hidden_layers", ConfigLimits.Layers), config.PositiveInt("max_position_embeddings"));
        var sparse = Qwen3MoeConfig.ReadSparseLayers(config, layers);
        var headDim = config.PositiveInt("head_dim", ConfigLimits.HeadDim, DefaultHeadDim);
        var read = new Qwen3NextConfig
        {
            VocabSize = config.PositiveInt("vocab_size"),
            MaxPositions = maxPositions,
            HiddenSize = config.PositiveInt("hidden_size", ConfigLimits.Columns),
            Layers = layers,
            FullLayers = ReadFullLayers(config, layers),
            Heads = config.PositiveInt("num_attention_heads", ConfigLimits.Heads),
            KvHeads = config.PositiveInt("num_key_value_heads", ConfigLimits.Heads),
            HeadDim = headDim,
            RotaryDim = ReadRotary(config, headDim),
            GatedAttention = config.Flag("attn_output_gate", otherwise: true),
            DeltaNet = DeltaNetConfig.Read(config, fused),
            Experts = new MixtureConfig
            {
                ExpertSize = config.PositiveInt("moe_intermediate_size", ConfigLimits.Columns),
                SharedSize = config.Count("shared_expert_intermediate_size", ConfigLimits.Columns, DefaultSharedSize),
                SharedPrefix = "shared_expert.",
                SharedGate = "shared_expert_gate.weight",
                Router = Qwen3MoeConfig.ReadRouter(config, normalise: true),
            }.Check(config, "num_experts", "num_experts_per_tok"),
            SparseLayers = sparse,
            IntermediateSize = sparse.Count < layers ? config.PositiveInt("intermediate_size", ConfigLimits.Columns) : 0,
            NormEpsilon = (float)config.PositiveNumber("rms_norm_eps", max: 1, DefaultEpsilon),
            Rope = RopeConfig.Read(config, maxPositions),
            TiedEmbeddings = tied,
            Prefix = prefix,
        };
        if (read.Heads % read.KvHeads != 0) throw config.Bad("num_attention_heads", $"({read.Heads}) is not a multiple of num_key_value_heads ({read.KvHeads})");
        if (config.OptionalText("hidden_act") is { } activation && activation != "silu") throw config.Bad("hidden_act", $"'{activation}' is not supported (silu is)");
        if (config.Flag("attention_bias", otherwise: false)) throw config.Bad("attention_bias", "true is not supported");
        if (config.Flag("use_sliding_window", otherwise: false)) throw config.Bad("use_sliding_window", "true is not supported");
        return read;
    }

    public bool IsFull(int layer) => FullLayers.Contains(layer);

    public CacheGeometry Cache(int blockSize, WeightType type) => new(
        blockSize,
        [.. Enumerable.Repeat(new KvGeometry(KvHeads, HeadDim, blockSize, type), FullLayers.Count)],
        [.. Enumerable.Range(0, Layers - FullLayers.Count).SelectMany(_ => DeltaNet.States)]);

    /// <summary>One full attention layer. Whether there are weights for it, only the checkpoint says.</summary>
    public CacheGeometry? DraftCache(int blockSize, WeightType type) => new(blockSize, [new KvGeometry(KvHeads, HeadDim, blockSize, type)]);

    public IModel Build(WeightReader weights, IKernels kernels, bool drafts) => new Qwen3Next(this, weights, kernels, drafts);

    public bool MayIgnore(string tensor) => Ignorable.RotaryTable(tensor) || Ignorable.Drafting(tensor) || Ignorable.Vision(tensor);

    private static LayerSet ReadFullLayers(ConfigSection config, int layers)
    {
        var types = config.Texts("layer_types");
        if (types.FirstOrDefault(type => type is not (Full or Linear)) is { } other) throw config.Bad("layer_types", $"'{other}' is not supported ({Full} and {Linear} are)");
        if (types.Count > 0 && types.Count != layers) throw config.Bad("layer_types", $"has {types.Count} entries for {layers} layers");
        var interval = config.PositiveInt("full_attention_interval", otherwise: DefaultInterval);
        var full = new LayerSet(Enumerable.Range(0, layers).Where(layer => types.Count > 0 ? types[layer] == Full : (layer + 1) % interval == 0));
        return full.Count > 0 ? full : throw config.Bad("layer_types", "has no full_attention layer: a model without any is not supported");
    }

    private static int ReadRotary(ConfigSection config, int headDim)
    {
        var factor = RopeConfig.Share(config, DefaultRotary);
        var dim = (int)(headDim * factor);
        return dim is > 1 && dim <= headDim && dim % 2 == 0 ? dim : throw config.Bad("partial_rotary_factor", $"({factor}) of head_dim ({headDim}) is not an even number of columns");
    }
}
