using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The text side of Qwen3-VL: Qwen3, dense or with experts, with positions by three axes, whose first layers get further rows for images.</summary>
internal static class Qwen3VLConfig
{
    public static IModelConfig Read(ConfigSection config) => Read(config, Qwen3Config.Read);

    /// <summary>Qwen3-VL-MoE. Its stacked experts are stored with the inputs first.</summary>
    public static IModelConfig ReadSparse(ConfigSection config) => Read(config, text =>
    {
        var read = Qwen3MoeConfig.Read(text, normalise: true);
        // Its reference normalises whatever the field says, others obey it.
        if (!read.Experts!.Router.Normalise) throw text.Bad("norm_topk_prob", "false is not supported by this architecture");
        return read with { Experts = read.Experts with { InputsFirst = true } };
    });

    /// <summary>Null in a configuration without a placeholder for images.</summary>
    public static ImageInput? ReadImages(ConfigSection config, int hiddenSize, int vocabSize)
    {
        if (config.OptionalCount("image_token_id") is not { } token) return null;
        if (token >= vocabSize) throw config.Bad("image_token_id", $"({token}) is not in the vocabulary of {vocabSize}");
        return new(token, hiddenSize, config.OptionalSection("vision_config")?.Counts("deepstack_visual_indexes").Count ?? 0);
    }

    /// <summary><c>mrope_section</c> of <c>rope_parameters</c> or <c>rope_scaling</c>; null without, which a model with images cannot be.</summary>
    public static RopeAxes? ReadAxes(ConfigSection text, int pairs, ImageInput? images)
    {
        var rope = text.OptionalSection("rope_parameters") ?? text.OptionalSection("rope_scaling");
        if (rope?.Has("mrope_section") != true)
            return images is null ? null : throw (rope ?? text).Bad("mrope_section", "is missing: it says by which axis of an image each pair of columns turns");
        var sections = rope.Counts("mrope_section");
        if (sections.Count != 3 || sections.Sum() != pairs) throw rope.Bad("mrope_section", $"must be three numbers that add up to {pairs} rotated pairs");
        if (!rope.Flag("mrope_interleaved", otherwise: true)) throw rope.Bad("mrope_interleaved", "false is not supported");
        return new(sections);
    }

    private static Qwen3Config Read(ConfigSection config, Func<ConfigSection, Qwen3Config> readText)
    {
        var text = config.OptionalSection("text_config") ?? throw config.Bad("text_config", "is missing");
        var read = readText(text);
        var images = ReadImages(config, read.HiddenSize, read.VocabSize);
        if (images?.DeepstackLayers > read.Layers) throw config.Bad("vision_config", $"has {images.DeepstackLayers} deepstack_visual_indexes for {read.Layers} layers");
        return read with
        {
            Prefix = "model.language_model.",
            TiedEmbeddings = text.Flag("tie_word_embeddings", otherwise: config.Flag("tie_word_embeddings", otherwise: false)),
            Axes = ReadAxes(text, read.HeadDim / 2, images),
            Images = images,
        };
    }
}
