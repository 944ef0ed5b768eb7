using System.CommandLine;
using System.Text.Json;
using NanoAspire.Benchmarks.Compute;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>engine DIR|qwen3-0.6b-random|qwen3-moe-random [--prompt-tokens 512] [--output-tokens 64] [--batch 1] [--threads 2] [--json]</c></summary>
internal static class EngineCommand
{
    private const string RandomSuffix = "-random";

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Model folder, or qwen3-0.6b-random, qwen3-moe-random or tiny-random for a generated one" };
        var promptTokens = new Option<int>("--prompt-tokens") { DefaultValueFactory = _ => 512 };
        var outputTokens = new Option<int>("--output-tokens") { DefaultValueFactory = _ => 64 };
        var batch = new Option<int>("--batch") { DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2 };
        var dtype = new Option<string>("--dtype") { DefaultValueFactory = _ => "auto" };
        var kvDType = new Option<string>("--kv-dtype") { DefaultValueFactory = _ => "auto" };
        var json = new Option<bool>("--json");
        foreach (var option in (Option<int>[])[promptTokens, outputTokens, batch, threads])
            option.Validators.Add(result => { if (result.GetValue(option) < 1) result.AddError($"{option.Name} must be at least 1"); });
        var command = new Command("engine", "Prefill and decode of one model, against measured multiply-add and read ceilings.") { model, promptTokens, outputTokens, batch, threads, dtype, kvDType, json };
        command.SetAction(parsed =>
        {
            try
            {
                var report = EngineBenchmark.Run(FolderOf(parsed.GetValue(model)!), parsed.GetValue(promptTokens), parsed.GetValue(outputTokens), parsed.GetValue(batch),
                    new() { Threads = parsed.GetValue(threads), DType = parsed.GetValue(dtype)!, KvDType = parsed.GetValue(kvDType)! });
                if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(report));
                else Console.WriteLine(report.ToText());
                return 0;
            }
            catch (ModelLoadException e)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        });
        return command;
    }

    /// <summary>Generated models are kept in the temporary folder for the next run.</summary>
    private static string FolderOf(string model)
    {
        if (Directory.Exists(model) || !model.EndsWith(RandomSuffix, StringComparison.Ordinal)) return model;
        var folder = Path.Combine(Path.GetTempPath(), "nanoaspire-benchmarks", model);
        if (File.Exists(Path.Combine(folder, "config.json"))) return folder;
        if (!RandomModel.Shapes.TryGetValue(model[..^RandomSuffix.Length], out var shape)) throw new ModelLoadException($"{model}: neither a folder nor one of {string.Join(", ", RandomModel.Shapes.Keys.Select(name => name + RandomSuffix))}");
        Console.Error.WriteLine($"writing {folder}");
        RandomModel.Write(folder, shape, seed: 1, shardBytes: long.MaxValue);
        return folder;
    }
}
