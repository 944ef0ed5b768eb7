using System.Text.Json;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// What a rounded cache costs, by the table of docs/numerics.md: a prompt is read, the reference's tokens are fed back, and the logits are compared
/// with those over a float32 cache. Its rows are printed by <c>--logger "console;verbosity=detailed"</c>.
/// </summary>
public sealed class CacheErrorTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("nano-demo", 0.002, 0.03)]
    [InlineData("qwen3-dense-tied", 0.006, 0.08)]
    [InlineData("qwen3-dense-untied", 0.004, 0.06)]
    [InlineData("qwen3-dense-yarn", 0.004, 0.06)]
    [InlineData("qwen3-moe", 0.004, 0.2)]
    [InlineData("deepseek-v3-noyarn-noqlora", 0.008, 0.25)]
    [InlineData("deepseek-v3-fp8", 0.009, 0.25)]
    [InlineData("deepseek-v3", 0.2, 0.4)]
    [InlineData("kimi-k2", 0.2, 0.5)]
    [InlineData("deepseek-v3.2", 0.5, 1)]
    [InlineData("glm-5", 0.5, 1)]
    [InlineData("glm-5-shared-indexer", 0.4, 1)]
    [InlineData("deepseek-v4", 0.1, 0.3)]
    public void A_smaller_cache_stays_within_its_error(string name, double bf16, double fp8)
    {
        var cases = Cases(name).ToList();
        var exact = Logits(name, "f32", cases);
        foreach (var (type, most) in new[] { ("bf16", bf16), ("fp8_e4m3", fp8) })
        {
            var rounded = Logits(name, type, cases);
            var (error, same) = (Error(exact, rounded), exact.Zip(rounded).Count(pair => GreedyDriver.ArgMax(pair.First) == GreedyDriver.ArgMax(pair.Second)));
            output.WriteLine($"{name} {type}: relative rms {error:G2}, argmax {same}/{exact.Count}");
            Assert.InRange(error, 1e-6, most);
            if (name == "nano-demo") Assert.Equal(exact.Count, same);
        }
    }

    private static IEnumerable<(int[] Prompt, int[] Output)> Cases(string name)
    {
        if (name != "nano-demo") return GoldenCase.Read(name).TextPrompts.Select(prompt => (prompt.PromptIds, prompt.GreedyIds));
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryPaths.Goldens, name, "expected.json")));
        return [.. expected.RootElement.GetProperty("cases").EnumerateArray().Select(each => (each.GetProperty("prompt_token_ids").Deserialize<int[]>()!, each.GetProperty("token_ids").Deserialize<int[]>()!))];
    }

    /// <summary>A row for each token of the outputs.</summary>
    private static List<float[]> Logits(string name, string type, List<(int[] Prompt, int[] Output)> cases)
    {
        using var driver = GreedyDriver.Load(name == "nano-demo" ? RepositoryPaths.DemoModel : GoldenCase.Folder(name), new() { Threads = 2, KvDType = type });
        return [.. cases.SelectMany(each =>
        {
            var sequence = driver.Start(each.Prompt);
            foreach (var token in each.Output)
            {
                driver.With(sequence, sequence.Tokens.Count - sequence.Computed).Step();
                sequence.Tokens[^1] = token;
            }
            return sequence.Logits;
        })];
    }

    private static double Error(List<float[]> exact, List<float[]> rounded)
    {
        var (difference, size) = (0.0, 0.0);
        foreach (var (a, b) in exact.SelectMany(row => row).Zip(rounded.SelectMany(row => row)))
        {
            difference += Math.Pow((double)a - b, 2);
            size += (double)a * a;
        }
        return Math.Sqrt(difference / size);
    }
}
