using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>DeepSeek-V4 in 4-bit and 8-bit floats against the same numbers in float32, and what is refused of such a checkpoint.</summary>
public sealed class PublishedFormTests
{
    private const int Seeds = 10;
    private const int Tokens = 4;

    [Fact]
    public void Experts_of_four_bits_give_the_bits_of_the_numbers_they_stand_for()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.DeepSeekV4WithPackedExperts(new Random(seed)), new Random(seed));
            var plain = Logits(PlainForm.Write(checkpoint.Folder));
            foreach (var dtype in (string[])["auto", "f32"])
                foreach (var threads in (int[])[1, 3]) AssertSame(plain, Logits(checkpoint.Folder, dtype, threads));
        }
    }

    [Fact]
    public void Published_weights_compute_what_the_numbers_they_stand_for_compute()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            using var checkpoint = RandomCheckpoint.Create("deepseek_v4, published", seed);
            var plain = Logits(PlainForm.Write(checkpoint.Folder));
            AssertSame(plain, Logits(checkpoint.Folder, "f32"));
            var kept = Logits(checkpoint.Folder);
            AssertSame(kept, Logits(checkpoint.Folder, threads: 3));
            foreach (var (expected, actual) in plain.Zip(kept))
                for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-3);
        }
    }

    public static TheoryData<string, string> Spoiled => new()
    {
        { "scale of one row too few", "tensor layers.0.ffn.experts.0.w2.scale has shape [39, 1], expected [40, 1]" },
        { "columns of one byte too few", "tensor layers.0.ffn.experts.0.w1.weight has shape [24, 19], expected [24, 20]" },
        { "odd columns", "tensor layers.0.ffn.experts.0.w2.weight has dtype I8, but its 23 columns are not pairs" },
        { "exponent of NaN", "tensor layers.0.ffn.experts.0.w1.scale holds NaN or infinity at element 0" },
        { "exponent of NaN beside 8 bits", "tensor layers.0.attn.wq_a.scale holds NaN or infinity at element 0" },
        { "exponent too large", "tensor layers.0.ffn.experts.0.w1.scale holds 8.51E+37 at element 0, with which weights are no float32 numbers" },
        { "factors of float32", "tensor layers.0.ffn.experts.0.w1.scale has dtype F32; factors of 4-bit floats are F8_E8M0" },
        { "factors of 8 bits", "tensor layers.0.attn.wq_a.scale has dtype F8_E4M3, which only matrices may have" },
        { "experts of fp8", "tensor layers.0.ffn.experts.0.w1.weight has dtype I8, but expert_dtype of config.json is not fp4" },
        { "norm of 4 bits", "tensor norm.weight has dtype F4, which only matrices may have" },
        { "experts of int4", "config.json: expert_dtype 'int4' is not supported (fp4 and fp8 are)" },
        { "factors of another kind", "config.json: quantization_config: scale_fmt 'ue5m3' is not supported (ue8m0 is)" },
        { "no blocks", "config.json: quantization_config: weight_block_size is missing: only weights with block scales are supported" },
        { "a second scale", "tensor layers.0.ffn.experts.0.w1.scale is not part of this architecture" },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public void What_does_not_fit_is_named(string what, string message)
    {
        const string Expert = "layers.0.ffn.experts.0.", Dense = "layers.0.attn.wq_a.scale";
        var plan = Plan();
        var config = plan.Config;
        void Change(string name, Func<PlannedTensor, PlannedTensor> change) => plan.Change(name, change);
        switch (what)
        {
            case "scale of one row too few": Change(Expert + "w2.scale", scale => scale with { Shape = [39, 1] }); break;
            case "columns of one byte too few": Change(Expert + "w1.weight", weight => weight with { Shape = [24, 19] }); break;
            case "odd columns":
                config["moe_intermediate_size"] = 23;
                foreach (var expert in Enumerable.Range(0, 2).Select(i => $"layers.0.ffn.experts.{i}."))
                    foreach (var name in (string[])["w1", "w3"])
                        foreach (var part in (string[])[".weight", ".scale"]) Change(expert + name + part, tensor => tensor with { Shape = [23, tensor.Shape[1]] });
                Change(Expert + "w2.weight", weight => weight with { Shape = [40, 11] });
                break;
            case "exponent of NaN": Change(Expert + "w1.scale", scale => scale with { Mean = 200, Deviation = 0 }); break;
            case "exponent of NaN beside 8 bits": Change(Dense, scale => scale with { Mean = 128, Deviation = 0 }); break;
            case "exponent too large": Change(Expert + "w1.scale", scale => scale with { Mean = 126, Deviation = 0 }); break;
            case "factors of float32": Change(Expert + "w1.scale", scale => scale with { Mean = 1, Deviation = 0, Type = "F32" }); break;
            case "factors of 8 bits": Change(Dense, scale => scale with { Mean = 1, Deviation = 0, Type = "F8_E4M3" }); break;
            case "experts of fp8": config["expert_dtype"] = "fp8"; break;
            case "norm of 4 bits": Change("norm.weight", norm => norm with { Type = "F4" }); break;
            case "experts of int4": config["expert_dtype"] = "int4"; break;
            case "factors of another kind": config["quantization_config"]!["scale_fmt"] = "ue5m3"; break;
            case "no blocks": config["quantization_config"]!.AsObject().Remove("weight_block_size"); break;
            default: plan.Normal(Expert + "w1.weight_scale_inv", deviation: 1, plan.Tensors[Expert + "w1.scale"].Shape); Change(Expert + "w1.weight_scale_inv", scale => scale with { Type = "F8_E8M0" }); break;
        }
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        var found = Assert.Throws<ModelLoadException>(() => ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 64 << 20 })).Message;
        Assert.Equal(message.StartsWith("config", StringComparison.Ordinal) ? message : "model.safetensors: " + message, found);
    }

    [Fact]
    public void Packed_weights_of_a_checkpoint_that_is_not_quantised_are_named()
    {
        var plan = Plan();
        plan.Config.Remove("quantization_config");
        plan.Change("layers.0.attn.wq_a.weight", weight => weight with { Type = "F4" });
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        Assert.Equal("model.safetensors: tensor layers.0.attn.wq_a.weight has dtype F4, but config.json has no quantization_config",
            Assert.Throws<ModelLoadException>(() => ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 64 << 20 })).Message);
    }

    /// <summary>Of the usual spelling: <c>.scale</c>, exponents, two experts of 24 inner columns in bytes.</summary>
    private static TensorPlan Plan()
    {
        for (var seed = 0; ; seed++)
        {
            var plan = RandomFamilies.DeepSeekV4Published(new Random(seed), hidden: 40, size: 24, experts: 2);
            if (plan.Tensors.TryGetValue("layers.0.attn.wq_a.scale", out var scale) && scale.Type == "F8_E8M0" && plan.Tensors["layers.0.ffn.experts.0.w1.weight"].Type == "I8") return plan;
        }
    }

    private static List<float[]> Logits(string folder, string dtype = "auto", int threads = 2)
    {
        using var driver = GreedyDriver.Load(folder, new() { Threads = threads, DType = dtype, BlockSize = 16 });
        var random = new Random(1);
        List<float[]> logits = [];
        foreach (var length in (int[])[1, 40]) logits.AddRange(driver.Generate([.. Enumerable.Range(0, length).Select(_ => random.Next(driver.Runner.Model.VocabSize))], Tokens).Logits);
        return logits;
    }

    private static void AssertSame(List<float[]> expected, List<float[]> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert.True(MemoryMarshal.AsBytes<float>(expected[i]).SequenceEqual(MemoryMarshal.AsBytes<float>(actual[i])), $"logits {i} differ");
    }
}
