using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// The reference outputs cover few settings of these models. An arithmetic of its own in double precision gives them, too, and judges what they
/// leave out: other factors of YaRN, rotation in halves, scores by softmax, odd sizes, choices shared by layers.
/// </summary>
public sealed class NaiveDeepSeekTests
{
    [Theory, InlineData("deepseek-v3"), InlineData("deepseek-v3-noyarn-noqlora"), InlineData("kimi-k2"), InlineData("deepseek-v3.2"), InlineData("glm-5"), InlineData("glm-5-shared-indexer")]
    public void It_gives_the_logits_of_the_reference(string name)
    {
        var naive = new NaiveDeepSeek(GoldenCase.Folder(name));
        var prompts = GoldenCase.Read(name).Prompts.Where(prompt => prompt.PromptIds.Length < 60).ToList();
        Assert.NotEmpty(prompts);
        foreach (var prompt in prompts) NaiveModel.AssertClose(naive.Logits(prompt.PromptIds), prompt.LogitsLast);
    }

    [Theory, InlineData("deepseek_v3"), InlineData("kimi_k2"), InlineData("deepseek_v32"), InlineData("glm_moe_dsa")]
    public void The_engine_gives_its_logits_for_random_models(string family)
    {
        for (var seed = 0; seed < 16; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.Plan(family, random), random, seed % 2 == 0 ? "F32" : "BF16");
            using var driver = GreedyDriver.Load(checkpoint.Folder, new() { Threads = 1, BlockSize = 16, MaxSequences = 1 });
            var naive = new NaiveDeepSeek(checkpoint.Folder);
            var prompt = RandomPrompt.Create(driver.Runner.Model, random, random.Next(5, 60)).Tokens;
            var sequence = driver.Generate(prompt, count: 2, chunk: random.Next(3, 30));
            for (var step = 0; step < 2; step++) NaiveModel.AssertClose(naive.Logits(sequence.Tokens[..(prompt.Length + step)]), sequence.Logits[step]);
        }
    }

    [Fact]
    public void DeepSeek_V4_written_down_gives_the_logits_of_the_reference()
    {
        var naive = new NaiveDeepSeekV4(GoldenCase.Folder("deepseek-v4"));
        var prompts = GoldenCase.Read("deepseek-v4").Prompts.Where(prompt => prompt.PromptIds.Length < 300).ToList();
        Assert.Contains(prompts, prompt => prompt.PromptIds.Length > 40);
        foreach (var prompt in prompts) NaiveModel.AssertClose(naive.Logits(naive.Streams(prompt.PromptIds)[^1], module: false), prompt.LogitsLast);
    }

    [Fact]
    public void The_engine_gives_its_logits_for_random_models_of_DeepSeek_V4()
    {
        for (var seed = 0; seed < 24; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.Plan("deepseek_v4", random), random, seed % 2 == 0 ? "F32" : "BF16");
            using var driver = GreedyDriver.Load(checkpoint.Folder, new() { Threads = 1, BlockSize = 16, MaxSequences = 1 });
            var naive = new NaiveDeepSeekV4(checkpoint.Folder);
            var prompt = RandomPrompt.Create(driver.Runner.Model, random, random.Next(5, 150)).Tokens;
            var sequence = driver.Generate(prompt, count: 1, chunk: random.Next(3, 30));
            NaiveModel.AssertClose(naive.Logits(naive.Streams(prompt)[^1], module: false), sequence.Logits[0]);
        }
    }
}
