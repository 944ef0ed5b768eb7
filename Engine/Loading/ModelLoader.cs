using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Models;
using NanoAspire.Engine.Transfer;

namespace NanoAspire.Engine.Loading;

/// <summary>Loads Hugging Face model folders.</summary>
public static class ModelLoader
{
    /// <summary>Part of the layout digest: a change of the block layout or of a reduction order gets a new number.</summary>
    private const string Numerics = "cpu-1";
    private const long DefaultKvBytes = 4L << 30;

    /// <param name="folder">Holds <c>config.json</c> and the weights; <c>generation_config.json</c> adds EOS ids.</param>
    /// <param name="options">Checked first.</param>
    /// <param name="logger">One line when the model is ready, and without <paramref name="progress"/> one every few seconds until then.</param>
    /// <param name="progress">Told about the weights while they are read, on this thread.</param>
    /// <returns>A runner that owns all memory and threads of the model.</returns>
    /// <exception cref="ModelLoadException">Anything wrong with the options, the configuration or the weights; one line says what.</exception>
    public static IModelRunner Load(string folder, ModelLoadOptions options, ILogger? logger = null, IProgress<LoadProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        var problems = options.Validate().ToList();
        if (problems.Count > 0) throw new ModelLoadException(string.Join("; ", problems));
        if (!Directory.Exists(folder)) throw new ModelLoadException(File.Exists(folder) ? $"{folder}: not a directory" : $"{folder}: no such directory");
        try
        {
            return Read(folder, options, logger ?? NullLogger.Instance, progress);
        }
        catch (Exception e) when (e is OverflowException or InvalidOperationException or ArgumentException or OutOfMemoryException)
        {
            throw new ModelLoadException($"{folder}: {e.Message}", e);       // the last net: what a file says should have been refused by name
        }
    }

    private static ModelRunner Read(string folder, ModelLoadOptions options, ILogger logger, IProgress<LoadProgress>? progress)
    {
        var started = Stopwatch.GetTimestamp();
        using var json = JsonFile.Read(Path.Combine(folder, "config.json"));
        var section = new ConfigSection(json.RootElement, "config.json");
        var (architecture, modelType, config) = ModelFamilies.Read(section);
        var quantisation = Quantisation.Read(section);
        var maxPositions = options.MaxModelLength ?? config.MaxPositions;
        if (maxPositions > config.MaxPositions) throw new ModelLoadException($"max-model-len {maxPositions} is more than max_position_embeddings ({config.MaxPositions})");
        if (options.DraftModule && config.DraftCache(options.BlockSize, WeightType.F32) is null)
            throw section.Bad("num_nextn_predict_layers", $"names no draft module that can be used: {modelType} cannot draft by mtp (ngram needs no module)");
        var eos = ReadEosIds(folder, section, config.VocabSize);

        var kernels = new CpuKernels(options.Threads);
        LoadedWeights? weights = null;
        KvArena? kv = null, draftKv = null;
        try
        {
            using var checkpoint = Checkpoint.Open(folder);
            var total = checkpoint.Names.Where(name => !config.MayIgnore(name)).Sum(name => checkpoint.Find(name)!.Value.Tensor.Bytes);
            progress ??= new LoadLog(logger, TimeProvider.System);
            using var reader = new WeightReader(checkpoint, kernels, WeightTypeOf(options.DType), quantisation, options.Threads, read => progress.Report(new(Math.Min(read, total - 1), total)));
            var model = config.Build(reader, kernels, options.DraftModule);
            weights = reader.Complete(config.MayIgnore);
            progress.Report(new(total, total));
            (kv, draftKv) = CreateKv(config, options, maxPositions, weights);
            var info = new ModelInfo
            {
                Architecture = architecture, ModelType = modelType, VocabSize = config.VocabSize, MaxPositions = maxPositions, EosTokenIds = eos, WeightBytes = weights.Bytes, Images = config.Images,
            };
            logger.ModelLoaded(architecture, weights.Bytes >> 20, kv.KvBlocks, kv.Layout.BlockSize, Stopwatch.GetElapsedTime(started).TotalSeconds);
            if (kv.StateSlots > 0) logger.StateSlots(kv.StateSlots, kv.Layout.StateBlocks * kv.Layout.BlockBytes, kv.Layout.StateBlocks);
            return new ModelRunner(info, model, weights, kv, draftKv, kernels, options.MaxBatchedTokens);
        }
        catch
        {
            kernels.Dispose();
            kv?.Dispose();
            draftKv?.Dispose();
            weights?.Dispose();
            throw;
        }
    }

    /// <summary>The draft module's part has the blocks of the model's and is nobody else's business: it has no part in the digest and is never handed over.</summary>
    private static (KvArena Model, KvArena? Drafts) CreateKv(IModelConfig config, ModelLoadOptions options, int maxPositions, LoadedWeights weights)
    {
        var type = WeightTypeOf(options.KvDType) ?? WeightType.F32;
        CacheGeometry Resized(int blockSize) => config.Cache(blockSize, type);
        var geometry = Resized(options.BlockSize);
        var drafts = options.DraftModule ? config.DraftCache(options.BlockSize, type) : null;
        var budget = options.KvMemoryBytes ?? Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, DefaultKvBytes);
        var useful = (long)options.MaxSequences * (((long)maxPositions + options.BlockSize - 1) / options.BlockSize) + 1;   // block 0 serves no sequence
        var (blocks, slots) = PoolShares.Of(budget, geometry.BlockBytes + (drafts?.BlockBytes ?? 0), geometry.StateBlocks, useful, options.MaxSequences);
        var identity = $"{Numerics}\n{config}\n{weights.Digest}\n{options.DType}\n{KvReslicer.Canonical(geometry, Resized)}";
        var layout = new KvLayout
        {
            Digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity))), BlockSize = options.BlockSize, BlockBytes = geometry.BlockBytes, StateBlocks = geometry.StateBlocks,
        };
        var model = new KvArena(geometry, layout, blocks, slots, options.ShareKvMemory, options.UcxKvMemory, Resized);
        if (drafts is null) return (model, null);
        try
        {
            return (model, new KvArena(drafts, layout with { BlockBytes = drafts.BlockBytes, StateBlocks = 0 }, blocks));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static WeightType? WeightTypeOf(string option) => option switch { "f32" => WeightType.F32, "bf16" => WeightType.BF16, "fp8_e4m3" => WeightType.E4M3, _ => null };

    /// <summary>Union of both files and of the text part of a multimodal configuration, ascending.</summary>
    private static int[] ReadEosIds(string folder, ConfigSection config, int vocabSize)
    {
        var ids = new SortedSet<int>(config.Ids("eos_token_id", vocabSize));
        if (config.OptionalSection("text_config") is { } text) ids.UnionWith(text.Ids("eos_token_id", vocabSize));
        var path = Path.Combine(folder, "generation_config.json");
        if (File.Exists(path))
        {
            using var json = JsonFile.Read(path);
            ids.UnionWith(new ConfigSection(json.RootElement, "generation_config.json").Ids("eos_token_id", vocabSize));
        }
        return [.. ids];
    }
}
