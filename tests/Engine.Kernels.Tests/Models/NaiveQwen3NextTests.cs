using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>An arithmetic of its own in double precision gives the reference outputs of both families with recurrent layers, and judges other sizes.</summary>
public sealed class NaiveQwen3NextTests
{
    [Theory, InlineData("qwen3-next"), InlineData("qwen3.5-moe")]
    public void It_gives_the_logits_of_the_reference(string name)
    {
        var naive = new NaiveQwen3Next(GoldenCase.Folder(name));
        var prompts = GoldenCase.Read(name).TextPrompts.Where(prompt => prompt.PromptIds.Length < 80).ToList();
        Assert.NotEmpty(prompts);
        foreach (var prompt in prompts) NaiveModel.AssertClose(naive.Logits(prompt.PromptIds), prompt.LogitsLast);
    }

    [Theory, InlineData("qwen3_next"), InlineData("qwen3_5_moe")]
    public void The_engine_gives_its_logits_for_random_models(string family)
    {
        for (var seed = 0; seed < 16; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.Plan(family, random), random, seed % 2 == 0 ? "F32" : "BF16");
            using var driver = GreedyDriver.Load(checkpoint.Folder, new() { Threads = 1, BlockSize = 16, MaxSequences = 1 });
            var naive = new NaiveQwen3Next(checkpoint.Folder);
            int[] prompt = [.. Enumerable.Range(0, random.Next(5, 60)).Select(_ => random.Next(driver.Runner.Model.VocabSize - 1))];   // the last is an image's
            var sequence = driver.Generate(prompt, count: 2, chunk: random.Next(3, 30));
            NaiveModel.AssertClose(naive.Logits(prompt), sequence.Logits[0]);
            if (sequence.Tokens[prompt.Length] < driver.Runner.Model.VocabSize - 1) NaiveModel.AssertClose(naive.Logits(sequence.Tokens[..^1]), sequence.Logits[1]);
        }
    }
}
