using System.Text.Json.Nodes;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>Checkpoints of every family with one thing wrong: refused at load, in one line that names it.</summary>
public sealed class RefusalTests
{
    public static TheoryData<string> Families => [.. RandomFamilies.Names];

    [Theory, MemberData(nameof(Families))]
    public void A_missing_tensor_is_named(string family)
    {
        for (var seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            var plan = RandomFamilies.Plan(family, random);
            var needed = plan.Tensors.Keys.Where(name => !name.StartsWith("mtp.", StringComparison.Ordinal)).ToArray();
            var missing = needed[random.Next(needed.Length)];
            plan.Remove(missing);
            if (missing.EndsWith(".gate_up_proj", StringComparison.Ordinal)) Assert.Contains(" is missing", Refused(plan), StringComparison.Ordinal);   // then experts are looked for one by one
            else Assert.Equal($"tensor {missing} is missing", Refused(plan));
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void A_tensor_that_nothing_uses_is_named(string family)
    {
        var plan = RandomFamilies.Plan(family, new Random(1));
        plan.Norm("layers.0.mystery.weight", 3);
        Assert.Equal("model.safetensors: tensor layers.0.mystery.weight is not part of this architecture", Refused(plan));
    }

    [Theory, MemberData(nameof(Families))]
    public void A_vocabulary_larger_than_the_embedding_is_refused(string family)
    {
        var plan = RandomFamilies.Plan(family, new Random(2));
        var size = plan.Text["vocab_size"]!.GetValue<int>();
        plan.Text["vocab_size"] = size + 1;
        var message = Refused(plan);
        Assert.Contains("embed", message, StringComparison.Ordinal);
        Assert.Contains($"has shape [{size}, ", message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Families))]
    public void An_unknown_rotation_is_named(string family)
    {
        var plan = RandomFamilies.Plan(family, new Random(3));
        if (plan.Text["rope_parameters"] is JsonObject parameters) parameters["rope_type"] = "spiral";
        else plan.Text["rope_scaling"] = new JsonObject { ["rope_type"] = "spiral" };
        Assert.Contains("rope_type 'spiral' is not supported", Refused(plan), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("index_topk", "0", "index_topk must be a positive integer, not 0")]
    [InlineData("compress_ratios", "[]", "compress_ratios has 0 entries for")]
    [InlineData("compress_ratios", "[-4, 0, 0, 0, 0]", "compress_ratios must be a list of integers that are not negative")]
    [InlineData("qk_rope_head_dim", "5", "qk_rope_head_dim (5) must be even")]
    [InlineData("o_groups", "1000", "is not a multiple of o_groups (1000)")]
    [InlineData("num_key_value_heads", "2", "num_key_value_heads (2) is not supported (1 is)")]
    [InlineData("num_experts_per_tok", "1000", "num_experts_per_tok (1000) is more than n_routed_experts")]
    [InlineData("scoring_func", "\"softmax\"", "scoring_func 'softmax' is not supported (sqrtsoftplus is)")]
    [InlineData("rope_parameters", "{\"main\": {}, \"compress\": {}}", "rope_parameters")]
    [InlineData("quantization_config", "{\"quant_method\": \"fp8\"}", "quantization_config")]
    public void DeepSeek_V4_refuses_what_it_cannot_compute(string field, string json, string reason)
    {
        var plan = RandomFamilies.Plan("deepseek_v4", new Random(4));
        plan.Config[field] = JsonNode.Parse(json);
        var message = Refused(plan);
        Assert.StartsWith("config.json: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"rope_type": "default", "mrope_section": [1, 2]}""", "mrope_section must be three numbers that add up to")]
    [InlineData("""{"rope_type": "default", "mrope_section": [1, 2, 900]}""", "mrope_section must be three numbers that add up to")]
    [InlineData("""{"rope_type": "default", "mrope_section": null}""", "text_config: rope_scaling: mrope_section must be three numbers that add up to")]
    [InlineData("null", "text_config: mrope_section must be three numbers that add up to")]
    public void Axes_that_do_not_cover_the_pairs_of_a_model_with_images_are_refused(string rope, string reason)
    {
        foreach (var family in (string[])["qwen3_vl", "qwen3_vl_moe"])
        {
            var plan = RandomFamilies.Plan(family, new Random(6));
            plan.Text["rope_scaling"] = JsonNode.Parse(rope);
            Assert.Contains(reason, Refused(plan), StringComparison.Ordinal);
        }
        var recurrent = RandomFamilies.Plan("qwen3_5_moe", new Random(6));
        recurrent.Text["rope_parameters"] = JsonNode.Parse(rope);
        Assert.Contains(reason.Replace("rope_scaling", "rope_parameters", StringComparison.Ordinal), Refused(recurrent), StringComparison.Ordinal);
    }

    [Fact]
    public void Axes_that_are_not_interleaved_are_refused_and_without_images_none_are_needed()
    {
        var plan = RandomFamilies.Plan("qwen3_vl_moe", new Random(6));
        plan.Text["rope_scaling"]!["mrope_interleaved"] = false;
        Assert.Contains("mrope_interleaved false is not supported", Refused(plan), StringComparison.Ordinal);
        plan.Text["rope_scaling"] = null;
        plan.Config.Remove("image_token_id");
        Load(plan);
    }

    [Theory]
    [InlineData("gate_up_proj", "expected [")]
    [InlineData("down_proj", "expected [")]
    public void Stacked_experts_of_Qwen3_VL_that_are_stored_outputs_first_are_refused(string tensor, string reason)
    {
        var plan = Sparse();
        var name = plan.Tensors.Keys.First(name => name.EndsWith("experts." + tensor, StringComparison.Ordinal));
        var shape = plan.Tensors[name].Shape;
        plan.Remove(name);
        plan.Matrix(name, shape[0], shape[2], shape[1]);
        Assert.Contains($"tensor {name} has shape [{shape[0]}, {shape[2]}, {shape[1]}], {reason}{shape[0]}, {shape[1]}, {shape[2]}]", Refused(plan), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("norm_topk_prob", "false", "text_config: norm_topk_prob false is not supported by this architecture")]
    [InlineData("num_experts_per_tok", "100", "text_config: num_experts_per_tok (100) is more than num_experts")]
    [InlineData("num_experts", "0", "text_config: num_experts must be a positive integer, not 0")]
    [InlineData("moe_intermediate_size", "null", "text_config: moe_intermediate_size is missing")]
    public void Qwen3_VL_with_experts_refuses_what_it_cannot_compute(string field, string json, string reason)
    {
        var plan = Sparse();
        plan.Text[field] = JsonNode.Parse(json);
        Assert.StartsWith("config.json: " + reason, Refused(plan), StringComparison.Ordinal);
    }

    [Fact]
    public void A_placeholder_outside_the_vocabulary_is_refused()
    {
        var plan = RandomFamilies.Plan("qwen3_vl", new Random(6));
        plan.Config["image_token_id"] = 100_000;
        Assert.Contains("image_token_id (100000) is not in the vocabulary", Refused(plan), StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_whose_expert_does_not_exist_is_refused()
    {
        var plan = RandomFamilies.Plan("deepseek_v4", new Random(5));
        plan.Config["num_hash_layers"] = plan.Config["num_hidden_layers"]!.DeepClone();
        var (vocabulary, chosen) = (plan.Config["vocab_size"]!.GetValue<int>(), plan.Config["num_experts_per_tok"]!.GetValue<int>());
        foreach (var bias in plan.Tensors.Keys.Where(name => name.EndsWith("ffn.gate.bias", StringComparison.Ordinal)).ToArray()) plan.Remove(bias);
        if (plan.Tensors.ContainsKey("layers.0.ffn.gate.tid2eid")) plan.Remove("layers.0.ffn.gate.tid2eid");
        plan.Indices("layers.0.ffn.gate.tid2eid", vocabulary, chosen, limit: 500);
        Assert.Matches(@"^model\.safetensors: tensor layers\.0\.ffn\.gate\.tid2eid holds \d+ at element \d+, not an index below \d+$", Refused(plan));
    }

    /// <summary>Some layer of it has experts.</summary>
    private static TensorPlan Sparse() => Enumerable.Range(0, 20).Select(seed => RandomFamilies.Plan("qwen3_vl_moe", new Random(seed)))
        .First(plan => plan.Tensors.Any(tensor => tensor.Key.EndsWith(".experts.down_proj", StringComparison.Ordinal) && tensor.Value.Shape[1] != tensor.Value.Shape[2]));

    private static void Load(TensorPlan plan)
    {
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 64 << 20 }).Dispose();
    }

    private static string Refused(TensorPlan plan)
    {
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        var message = Assert.Throws<ModelLoadException>(() => ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 64 << 20 })).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
