using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// Qwen3-VL-MoE has no reference outputs. It is Qwen3-VL with the feed-forward of Qwen3-MoE: an arithmetic of its own in double precision
/// gives the reference outputs of both, and what it gives for random models of both kinds together, the engine gives, too.
/// </summary>
public sealed class NaiveQwen3Tests
{
    [Theory, InlineData("qwen3-dense-tied"), InlineData("qwen3-moe"), InlineData("qwen3-vl")]
    public void It_gives_the_logits_of_the_reference(string name)
    {
        var (naive, golden) = (new NaiveQwen3(GoldenCase.Folder(name)), GoldenCase.Read(name));
        using var driver = GreedyDriver.Load(GoldenCase.Folder(name), new() { Threads = 1, MaxSequences = 1, MaxModelLength = 256 });
        foreach (var prompt in golden.Prompts.Where(prompt => prompt.PromptIds.Length < 60))
        {
            using var file = prompt.Vision is null ? null : new GoldenImages(name, prompt.Vision);
            var images = file?.Read(prompt.PromptIds, prompt.Grids!, driver.Runner.Model.Images!) ?? [];
            NaiveModel.AssertClose(naive.Logits(prompt.PromptIds, images), prompt.LogitsLast);
        }
        Assert.Equal(name == "qwen3-vl", golden.ImagePrompts.Any(prompt => prompt.PromptIds.Length < 60));
    }

    [Theory, InlineData("qwen3_moe"), InlineData("qwen3_vl"), InlineData("qwen3_vl_moe")]
    public void The_engine_gives_its_logits_for_random_models_with_and_without_images(string family)
    {
        var compared = 0;
        for (var seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            var plan = RandomFamilies.Plan(family, random);
            if (plan.Text["rope_scaling"]?["factor"] is not null) plan.Text["rope_scaling"] = null;
            using var checkpoint = RandomCheckpoint.Write(plan, random, seed % 2 == 0 ? "F32" : "BF16");
            using var driver = GreedyDriver.Load(checkpoint.Folder, new() { Threads = 1, BlockSize = 16, MaxSequences = 1 });
            var naive = new NaiveQwen3(checkpoint.Folder);
            for (var i = 0; i < 2; i++)
            {
                var prompt = RandomPrompt.Create(driver.Runner.Model, random, random.Next(5, 40));
                var sequence = driver.Generate(prompt.Tokens, count: 2, chunk: random.Next(3, 30), images: prompt.Images);
                for (var step = 0; step < 2; step++) NaiveModel.AssertClose(naive.Logits(sequence.Tokens[..(prompt.Tokens.Length + step)], prompt.Images ?? []), sequence.Logits[step]);
                compared += prompt.Images?.Count ?? 0;
            }
        }
        Assert.Equal(family != "qwen3_moe", compared > 5);
    }
}
