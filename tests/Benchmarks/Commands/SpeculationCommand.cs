using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Benchmarks.Commands;

/// <summary><c>speculation MODEL [--prompt-ids 1,2,3] [--tokens N] [--drafts K] [--method ngram|mtp] [--sequences B] [--threads T]</c>: the same requests with and without guesses, by turns. Time is that of the processor: with one thread it is what an idle machine would take.</summary>
internal static class SpeculationCommand
{
    private const int Rounds = 5;

    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("model");
        var ids = new Option<string>("--prompt-ids") { DefaultValueFactory = _ => "5,6,7,8,9,10" };
        var tokens = new Option<int>("--tokens") { DefaultValueFactory = _ => 200 };
        var drafts = new Option<int>("--drafts") { DefaultValueFactory = _ => 4 };
        var sequences = new Option<int>("--sequences") { DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var temperature = new Option<float>("--temperature");
        var method = new Option<string>("--method") { DefaultValueFactory = _ => "ngram" };
        method.AcceptOnlyFromAmong("ngram", "mtp");
        var command = new Command("speculation", "Decodes with and without guessed tokens.") { folder, ids, tokens, drafts, sequences, threads, temperature, method };
        command.SetAction(async (parsed, ct) =>
        {
            var speculation = parsed.GetValue(method) == "mtp" ? SpeculationMethod.Mtp : SpeculationMethod.NGram;
            using var runner = ModelLoader.Load(parsed.GetValue(folder)!.FullName, new() { Threads = parsed.GetValue(threads), DraftModule = speculation == SpeculationMethod.Mtp, MaxSequences = 8, KvMemoryBytes = 512 << 20 });
            var requests = Enumerable.Range(0, parsed.GetValue(sequences)).Select(i => new GenerationRequest
            {
                PromptTokens = [.. parsed.GetValue(ids)!.Split(',').Select(int.Parse)],
                Sampling = new() { Temperature = parsed.GetValue(temperature), Seed = i, MaxTokens = parsed.GetValue(tokens), IgnoreEos = true },
            }).ToArray();
            var (plain, guessed) = (new List<Figures>(), new List<Figures>());
            for (var round = 0; round <= Rounds; round++)                    // the first warms up
            {
                var a = await RunAsync(SpeculationMethod.Off);
                var b = await RunAsync(speculation);
                if (round == 0) continue;
                plain.Add(a);
                guessed.Add(b);
            }
            var (off, on) = (plain.MinBy(f => f.Seconds)!, guessed.MinBy(f => f.Seconds)!);
            Console.WriteLine($"off      {off.Tokens / off.Seconds,8:0.0} tok/s");
            Console.WriteLine($"{parsed.GetValue(method),-8} {on.Tokens / on.Seconds,8:0.0} tok/s, {(double)on.Tokens / on.Steps:0.00} tokens a step, {on.Drafted} drafted, {(double)on.Accepted / Math.Max(1, on.Drafted):P0} accepted: {off.Seconds / on.Seconds:0.00} times as fast");

            async Task<Figures> RunAsync(SpeculationMethod by)
            {
                await using var loop = new EngineLoop(runner, new() { Speculation = by, SpeculativeTokens = parsed.GetValue(drafts), PrefixCaching = false }, TimeProvider.System, NullLogger<EngineLoop>.Instance);
                var before = Environment.CpuUsage.TotalTime;
                var counts = await Task.WhenAll(requests.Select(async request =>
                {
                    using var handle = loop.Submit(request);
                    var count = 0;
                    await foreach (var output in handle.Outputs.ReadAllAsync(ct)) count += output.Error is null ? 1 : throw new InvalidOperationException(output.Error);
                    return count;
                }));
                var seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
                return new(counts.Sum(), seconds, loop.Status.Steps, loop.Status.DraftedTokens, loop.Status.AcceptedTokens);
            }
        });
        return command;
    }

    private sealed record Figures(int Tokens, double Seconds, long Steps, long Drafted, long Accepted);
}
