using System.CommandLine;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Engine.Server.Commands;

/// <summary>Options that <c>serve</c> and <c>generate</c> share. Every long name is also accepted in the originals' snake_case.</summary>
internal sealed class EngineCommandOptions
{
    public Argument<string> Folder { get; } = new("DIR") { Description = "Model folder in Hugging Face layout" };
    public Option<string> DType { get; } = Named<string>("dtype", "Weights: auto, f32 or bf16", "auto");
    public Option<string> KvDType { get; } = Named<string>("kv-dtype", "KV cache: auto, f32, bf16 or fp8_e4m3", "auto");
    public Option<string> Device { get; } = Named<string>("device", "auto or cpu", "auto");
    public Option<string> Transport { get; } = Named<string>("transport", "How KV blocks move: auto, shm, ucx, tcp or loopback", "auto");
    public Option<int> BlockSize { get; } = Named<int>("kvcache-block-size", "Tokens a KV block: 16, 32, 64, 128 or 256", 64);
    public Option<int> MaxBatchedTokens { get; } = Named<int>("max-num-batched-tokens", "Token budget of one step", 2048);
    public Option<int> MaxSequences { get; } = Named<int>("max-num-seqs", "Sequences that run at once", 64);
    public Option<int?> MaxModelLength { get; } = Named<int?>("max-model-len", "Longest prompt and output together (default: the model's)", null);
    public Option<string?> KvMemory { get; } = Named<string?>("kv-memory", "Memory for KV blocks, e.g. 2GiB", null);
    public Option<int?> Threads { get; } = Named<int?>("threads", "Compute threads (default: all cores)", null);
    public Option<bool> NoPrefixCaching { get; } = Named<bool>("no-prefix-caching", "Compute every prompt from its first token", false);

    public Option<string> Speculative { get; } = Named<string>("speculative", "Who guesses tokens ahead: off, ngram (from the sequence itself) or mtp (the model's own module)", "off");
    public Option<int> SpeculativeTokens { get; } = Named<int>("num-speculative-tokens", "Most guesses for a sequence in one step", 4);

    public void AddTo(Command command)
    {
        command.Arguments.Add(Folder);
        foreach (Option option in (Option[])[DType, KvDType, Device, Transport, BlockSize, MaxBatchedTokens, MaxSequences, MaxModelLength, KvMemory, Threads, NoPrefixCaching, Speculative, SpeculativeTokens])
            command.Options.Add(option);
    }

    /// <exception cref="UsageException">Lists everything that is wrong, not just the first.</exception>
    public EngineSettings Read(ParseResult parsed)
    {
        var problems = new List<string>();
        long? kvMemory = null;
        if (parsed.GetValue(KvMemory) is { } text)
        {
            if (ByteSize.TryParse(text, out var bytes) && bytes > 0) kvMemory = bytes;
            else problems.Add($"--kv-memory '{text}' is not a size such as 2GiB");
        }
        OneOf(problems, "--dtype", parsed.GetValue(DType)!, "auto", "f32", "bf16");
        OneOf(problems, "--kv-dtype", parsed.GetValue(KvDType)!, "auto", "f32", "bf16", "fp8_e4m3");
        var transport = parsed.GetValue(Transport)!;
        OneOf(problems, "--transport", transport, [.. KvTransports.Names]);
        if (transport == "ucx" && UcxLibrary.Reason is { } missing) problems.Add($"--transport ucx: {missing}");
        var device = parsed.GetValue(Device)!;
        if (device.StartsWith("cuda", StringComparison.Ordinal)) problems.Add($"--device {device}: this build computes on the CPU only");
        else OneOf(problems, "--device", device, "auto", "cpu");
        if (parsed.GetValue(BlockSize) is not (16 or 32 or 64 or 128 or 256)) problems.Add("--kvcache-block-size must be 16, 32, 64, 128 or 256");
        if (parsed.GetValue(Threads) is < 1 or > 1024) problems.Add("--threads must be between 1 and 1024");
        var speculative = parsed.GetValue(Speculative)!;
        OneOf(problems, "--speculative", speculative, "off", "ngram", "mtp");
        var engine = new EngineOptions
        {
            MaxBatchedTokens = parsed.GetValue(MaxBatchedTokens),
            MaxSequences = parsed.GetValue(MaxSequences),
            MaxModelLength = parsed.GetValue(MaxModelLength),
            PrefixCaching = !parsed.GetValue(NoPrefixCaching),
            Speculation = speculative switch { "ngram" => SpeculationMethod.NGram, "mtp" => SpeculationMethod.Mtp, _ => SpeculationMethod.Off },
            SpeculativeTokens = parsed.GetValue(SpeculativeTokens),
        };
        problems.AddRange(engine.Validate());
        if (problems.Count > 0) throw new UsageException(string.Join("; ", problems));

        var load = new ModelLoadOptions
        {
            DType = parsed.GetValue(DType)!,
            KvDType = parsed.GetValue(KvDType)!,
            BlockSize = parsed.GetValue(BlockSize),
            MaxBatchedTokens = engine.MaxBatchedTokens,
            MaxSequences = engine.MaxSequences,
            MaxModelLength = engine.MaxModelLength,
            DraftModule = engine.Speculation == SpeculationMethod.Mtp,
        };
        if (kvMemory is { } kv) load = load with { KvMemoryBytes = kv };
        if (parsed.GetValue(Threads) is { } threads) load = load with { Threads = threads };
        return new(parsed.GetValue(Folder)!, load, engine, parsed.GetValue(Transport)!);
    }

    /// <summary>An option <c>--kebab-case</c> with its <c>--snake_case</c> spelling.</summary>
    public static Option<T> Named<T>(string name, string description, T value)
    {
        var snake = name.Replace('-', '_');
        var option = snake == name ? new Option<T>($"--{name}") : new Option<T>($"--{name}", $"--{snake}");
        option.Description = description;
        option.DefaultValueFactory = _ => value;
        return option;
    }

    internal static void OneOf(List<string> problems, string name, string value, params string[] allowed)
    {
        if (!allowed.Contains(value, StringComparer.Ordinal)) problems.Add($"{name} '{value}' is not one of {string.Join(", ", allowed)}");
    }
}

/// <param name="Folder">Model folder.</param>
/// <param name="Load">How the model is loaded.</param>
/// <param name="Engine">Limits of the loop.</param>
/// <param name="Transport">Name of the KV transport.</param>
internal sealed record EngineSettings(string Folder, ModelLoadOptions Load, EngineOptions Engine, string Transport)
{
    public const string Auto = "auto";

    /// <summary>Name of the tool calls' format, <c>auto</c> (by the chat template) or <c>none</c>.</summary>
    public string ToolCallParser { get; init; } = Auto;
    /// <summary>Name of the reasoning's format, <c>auto</c> (by model type and chat template) or <c>none</c>.</summary>
    public string ReasoningParser { get; init; } = Auto;
    /// <summary>Reasoning also comes as <c>reasoning</c>, not only as <c>reasoning_content</c>.</summary>
    public bool MirrorReasoning { get; init; }
}

/// <summary>The command line is wrong: exit code 2, one line.</summary>
internal sealed class UsageException(string message) : Exception(message);
