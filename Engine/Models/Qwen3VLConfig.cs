using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The text side of Qwen3-VL: Qwen3 with positions by three axes, whose first layers get further rows for images.</summary>
internal static class Qwen3VLConfig
{
    public static IModelConfig Read(ConfigSection config)
    {
        var text = config.OptionalSection("text_config") ?? throw config.Bad("text_config", "is missing");
        var read = Qwen3Config.Read(text);
        var images = ReadImages(config, read.HiddenSize, read.VocabSize);
        if (images?.DeepstackLayers > read.Layers) throw config.Bad("vision_config", $"has {images.DeepstackLayers} deepstack_visual_indexes for {read.Layers} layers");
        return read with
        {
            Prefix = "model.language_model.",
            TiedEmbeddings = text.Flag("tie_word_embeddings", otherwise: config.Flag("tie_word_embeddings", otherwise: false)),
            Axes = ReadAxes(text, read.HeadDim / 2),
            Images = images,
        };
    }

    /// <summary>Null in a configuration without a placeholder for images.</summary>
    public static ImageInput? ReadImages(ConfigSection config, int hiddenSize, int vocabSize)
    {
        if (config.OptionalCount("image_token_id") is not { } token) return null;
        if (token >= vocabSize) throw config.Bad("image_token_id", $"({token}) is not in the vocabulary of {vocabSize}");
        return new(token, hiddenSize, config.OptionalSection("vision_config")?.Counts("deepstack_visual_indexes").Count ?? 0);
    }

    /// <summary><c>mrope_section</c> of <c>rope_parameters</c> or <c>rope_scaling</c>; null without.</summary>
    public static RopeAxes? ReadAxes(ConfigSection text, int pairs)
    {
        if ((text.OptionalSection("rope_parameters") ?? text.OptionalSection("rope_scaling")) is not { } rope || !rope.Has("mrope_section")) return null;
        var sections = rope.Counts("mrope_section");
        if (sections.Count != 3 || sections.Sum() != pairs) throw rope.Bad("mrope_section", $"must be three numbers that add up to {pairs} rotated pairs");
        if (!rope.Flag("mrope_interleaved", otherwise: true)) throw rope.Bad("mrope_interleaved", "false is not supported");
        return new(sections);
    }
}
