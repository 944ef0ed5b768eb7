using System.Text.Json;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Loading;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Models;

public sealed class GoldenTests
{
    private const int DecodedTokens = 24;

    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string>();
            foreach (var name in GoldenNames.All)
            {
                cases.Add(name, "auto", "auto");
                cases.Add(name, "f32", "f32");
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Greedy_tokens_and_logits_are_those_of_the_reference(string name, string dtype, string kvDtype)
    {
        var golden = GoldenCase.Read(name);
        using var driver = GreedyDriver.Load(GoldenCase.Folder(name), new() { Threads = 2, DType = dtype, KvDType = kvDtype });
        Assert.NotEmpty(golden.TextPrompts);
        foreach (var prompt in golden.TextPrompts)
        {
            var sequence = driver.Generate(prompt.PromptIds, DecodedTokens);
            Assert.Equal(prompt.GreedyIds, sequence.Generated);
            AssertClose(prompt.LogitsLast, sequence.Logits[0], golden.Tolerance.Logits);
            AssertClose(prompt.FinalLogits, sequence.Logits[^1], golden.Tolerance.Logits);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Most_likely_token_at_every_prompt_position_is_that_of_the_reference(string name, string dtype, string kvDtype)
    {
        using var driver = GreedyDriver.Load(GoldenCase.Folder(name), new() { Threads = 2, DType = dtype, KvDType = kvDtype });
        foreach (var prompt in GoldenCase.Read(name).TextPrompts)
        {
            for (var length = 1; length <= prompt.PromptIds.Length; length++)
            {
                var sequence = driver.Generate(prompt.PromptIds[..length], count: 1);
                Assert.Equal(prompt.ArgMax[length - 1], sequence.Generated[0]);
            }
        }
    }

    [Theory, InlineData("f32"), InlineData("bf16"), InlineData("fp8_e4m3")]
    public void Demo_model_says_what_it_was_trained_on_whatever_its_cache_rounds(string kvDType)
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryPaths.Goldens, "nano-demo", "expected.json")));
        using var driver = GreedyDriver.Load(RepositoryPaths.DemoModel, new() { Threads = 2, KvDType = kvDType });
        foreach (var example in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            var tokens = example.GetProperty("token_ids").Deserialize<int[]>()!;
            var sequence = driver.Generate(example.GetProperty("prompt_token_ids").Deserialize<int[]>()!, tokens.Length);
            Assert.Equal(tokens, sequence.Generated);
        }
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }
}
