using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>The text side of Qwen3-VL: Qwen3, dense or with experts, with positions by three axes, whose first layers get further rows for images.</summary>
internal static class Qwen3VLConfig
{
    /// <summary>Without <c>mrope_section</c>: pairs by time, row and column.</summary>
    private static readonly int[] DefaultSections = [24, 20, 20];
    /// <summary>Without <c>deepstack_visual_indexes</c>.</summary>
    private const int DefaultDeepstackLayers = 3;

    public static IModelConfig Read(ConfigSection config) => Read(config, text => Qwen3Config.ReadDense(text, Qwen3Defaults.Vision));

    /// <summary>Qwen3-VL-MoE. Its stacked experts are stored with the inputs first.</summary>
    public static IModelConfig ReadSparse(ConfigSection config) => Read(config, text =>
    {
        var read = Qwen3MoeConfig.Read(text, Qwen3Defaults.SparseVision);
        // Its reference normalises whatever the field says, others obey it.
        if (!read.Experts!.Router.Normalise) throw text.Bad("norm_topk_prob", "false is not supported by this architecture");
        return read with { Experts = read.Experts with { InputsFirst = true } };
    });

    /// <summary>Null in a configuration without a placeholder for images.</summary>
    /// <param name="config">The whole.</param>
    /// <param name="hiddenSize">Of the text model.</param>
    /// <param name="vocabSize">Of the text model.</param>
    /// <param name="deepstackLayers">Without <c>deepstack_visual_indexes</c>.</param>
    public static ImageInput? ReadImages(ConfigSection config, int hiddenSize, int vocabSize, int deepstackLayers)
    {
        if (config.OptionalCount("image_token_id") is not { } token) return null;
        if (token >= vocabSize) throw config.Bad("image_token_id", $"({token}) is not in the vocabulary of {vocabSize}");
        var vision = config.OptionalSection("vision_config");
        return new(token, hiddenSize, vision?.Has("deepstack_visual_indexes") == true ? vision.Counts("deepstack_visual_indexes").Count : deepstackLayers);
    }

    /// <summary><c>mrope_section</c> of <c>rope_parameters</c> or <c>rope_scaling</c>; null in a model without images that has none.</summary>
    /// <param name="text">The text model's.</param>
    /// <param name="pairs">Rotated ones of a head.</param>
    /// <param name="images">Of the whole.</param>
    /// <param name="otherwise">Without <c>mrope_section</c>.</param>
    public static RopeAxes? ReadAxes(ConfigSection text, int pairs, ImageInput? images, IReadOnlyList<int> otherwise)
    {
        var rope = RopeConfig.Section(text);
        var given = rope?.Has("mrope_section") == true;
        if (!given && images is null) return null;
        var sections = given ? rope!.Counts("mrope_section") : otherwise;
        if (sections.Count != 3 || sections.Sum(count => (long)count) != pairs)
            throw (rope ?? text).Bad("mrope_section", $"must be three numbers that add up to {pairs} rotated pairs{(given ? "" : $", and without it they are {string.Join(", ", sections)}")}");
        if (rope?.Flag("mrope_interleaved", otherwise: true) == false) throw rope.Bad("mrope_interleaved", "false is not supported");
        return new(sections);
    }

    /// <summary>Whether the head is the embedding: said in the text model or beside it. Where it is said to be, a head of its own that differs is refused.</summary>
    public static bool ReadTied(ConfigSection config, ConfigSection text, bool? otherwise)
    {
        const string Field = "tie_word_embeddings";
        if (!text.Has(Field) && !config.Has(Field)) return otherwise ?? throw config.Bad(Field, "is missing");
        var tied = text.Flag(Field, otherwise: config.Flag(Field, otherwise: false));
        return tied || !config.Flag(Field, otherwise: false) ? tied : throw text.Bad(Field, "false contradicts that of the whole model");
    }

    private static Qwen3Config Read(ConfigSection config, Func<ConfigSection, Qwen3Config> readText)
    {
        var text = config.OptionalSection("text_config") ?? throw config.Bad("text_config", "is missing");
        var read = readText(text);
        var images = ReadImages(config, read.HiddenSize, read.VocabSize, DefaultDeepstackLayers);
        if (images?.DeepstackLayers > read.Layers) throw config.Bad("vision_config", $"has {images.DeepstackLayers} deepstack_visual_indexes for {read.Layers} layers");
        return read with
        {
            Prefix = "model.language_model.",
            // Versions of Hugging Face's class with experts differ in what absence means.
            TiedEmbeddings = ReadTied(config, text, otherwise: read.Experts is null ? false : null),
            Axes = ReadAxes(text, read.HeadDim / 2, images, DefaultSections),
            Images = images,
        };
    }
}
