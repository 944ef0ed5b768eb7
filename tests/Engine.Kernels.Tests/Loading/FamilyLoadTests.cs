using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Kernels.Tests.Models;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>What the families with experts and recurrent layers refuse, by name.</summary>
public sealed partial class FamilyLoadTests
{
    [Theory]
    [InlineData("qwen3-moe", "model.layers.2.mlp.experts.5.up_proj.weight")]
    [InlineData("qwen3-moe", "model.layers.0.mlp.experts.7.down_proj.weight")]
    [InlineData("qwen3-moe", "model.layers.0.mlp.gate.weight")]
    [InlineData("qwen3-next", "model.layers.1.mlp.experts.0.gate_proj.weight")]
    [InlineData("qwen3-next", "model.layers.1.mlp.shared_expert_gate.weight")]
    [InlineData("qwen3-next", "model.layers.0.linear_attn.A_log")]
    [InlineData("qwen3-next", "model.layers.2.linear_attn.in_proj_ba.weight")]
    [InlineData("qwen3.5-moe", "model.language_model.layers.3.mlp.experts.down_proj")]
    [InlineData("qwen3.5-moe", "model.language_model.layers.0.linear_attn.in_proj_z.weight")]
    public void A_missing_tensor_is_named(string model, string tensor)
    {
        using var checkpoint = new GoldenCheckpoint(model);
        checkpoint.Remove(tensor);
        Assert.Equal($"tensor {tensor} is missing", checkpoint.Fails());
    }

    [Fact]
    public void Tensors_that_contradict_the_configuration_are_named()
    {
        using var checkpoint = new GoldenCheckpoint("qwen3-moe");
        checkpoint.Config["num_experts"] = 7;
        Assert.Equal("model.safetensors: tensor model.layers.0.mlp.gate.weight has shape [8, 64], expected [7, 64]", checkpoint.Fails());
        checkpoint.Config["num_experts"] = 8;
        checkpoint.Config["mlp_only_layers"] = new JsonArray(1, 2);
        Assert.StartsWith("tensor model.layers.2.mlp.gate_proj.weight is missing", checkpoint.Fails(), StringComparison.Ordinal);
        checkpoint.Config["mlp_only_layers"] = new JsonArray(1);
        checkpoint.Rename("model.layers.0.mlp.experts.7.up_proj.weight", "model.layers.0.mlp.experts.8.up_proj.weight");
        Assert.Equal("tensor model.layers.0.mlp.experts.7.up_proj.weight is missing", checkpoint.Fails());
    }

    [Theory]
    [InlineData("qwen3-moe", "num_experts_per_tok", "9", "config.json: num_experts_per_tok (9) is more than num_experts (8)")]
    [InlineData("qwen3-moe", "num_experts", "0", "config.json: num_experts must be a positive integer, not 0")]
    [InlineData("qwen3-moe", "num_experts", "100000", "config.json: num_experts (100000) is more than 16384")]
    [InlineData("qwen3-moe", "moe_intermediate_size", null, "config.json: moe_intermediate_size is missing")]
    [InlineData("qwen3-moe", "mlp_only_layers", "[3]", "config.json: mlp_only_layers names layer 3 of 3")]
    [InlineData("qwen3-moe", "mlp_only_layers", "[-1]", "config.json: mlp_only_layers must be a list of integers that are not negative, not [-1]")]
    [InlineData("qwen3-moe", "decoder_sparse_step", "0", "config.json: decoder_sparse_step must be a positive integer, not 0")]
    [InlineData("qwen3-moe", "vocab_size", "321", "model.safetensors: tensor model.embed_tokens.weight has shape [320, 64], expected [321, 64]")]
    [InlineData("qwen3-next", "linear_num_value_heads", "3", "config.json: linear_num_value_heads (3) is not a multiple of linear_num_key_heads (2)")]
    [InlineData("qwen3-next", "full_attention_interval", "5", "config.json: layer_types has no full_attention layer: a model without any is not supported")]
    [InlineData("qwen3-next", "layer_types", "[\"linear_attention\"]", "config.json: layer_types has 1 entries for 4 layers")]
    [InlineData("qwen3-next", "layer_types", "[\"mamba\"]", "config.json: layer_types 'mamba' is not supported (full_attention and linear_attention are)")]
    [InlineData("qwen3-next", "partial_rotary_factor", "2", "config.json: partial_rotary_factor (2) of head_dim (32) is not an even number of columns")]
    [InlineData("qwen3-next", "rope_scaling", "{\"rope_type\":\"spiral\"}", "config.json: rope_scaling: rope_type 'spiral' is not supported (default, linear, llama3 and yarn are)")]
    [InlineData("qwen3-next", "hidden_act", "\"gelu\"", "config.json: hidden_act 'gelu' is not supported (silu is)")]
    [InlineData("qwen3-next", "quantization_config", "{\"quant_method\":\"fp8\"}", "config.json: quantization_config: weight_block_size is missing: only weights with block scales are supported")]
    [InlineData("qwen3.5-moe", "text_config", null, "config.json: text_config is missing")]
    [InlineData("qwen3.5-moe", "text_config", "{\"num_hidden_layers\":4}", "config.json: text_config: max_position_embeddings is missing")]
    public void A_configuration_that_is_not_understood_is_refused(string model, string field, string? json, string message)
    {
        using var checkpoint = new GoldenCheckpoint(model);
        if (json is null) checkpoint.Config.Remove(field);
        else checkpoint.Config[field] = JsonNode.Parse(json);
        Assert.Equal(message, checkpoint.Fails());
    }

    [Fact]
    public void A_step_of_sparse_layers_counts_from_the_first()
    {
        using var checkpoint = new GoldenCheckpoint("qwen3-moe");
        checkpoint.Config["decoder_sparse_step"] = 2;                        // layer 1 of 0, 1, 2; and that one is dense by name
        checkpoint.Config["mlp_only_layers"] = new JsonArray();
        Assert.Equal("tensor model.layers.0.mlp.gate_proj.weight is missing", checkpoint.Fails());
    }

    [Theory, InlineData("qwen3-next", "mtp.norm.weight"), InlineData("qwen3.5-moe", "model.visual.pos_embed.weight"), InlineData("qwen3.5-moe", "mtp.fc.weight")]
    public void Parts_that_text_does_without_may_be_absent_and_strangers_may_not_be_there(string model, string tensor)
    {
        using var checkpoint = new GoldenCheckpoint(model);
        checkpoint.Rename(tensor, "stranger.weight");
        Assert.Equal("model.safetensors: tensor stranger.weight is not part of this architecture", checkpoint.Fails());
        checkpoint.Remove("stranger.weight");
        checkpoint.Load().Dispose();
    }

    [Theory, InlineData("qwen3-next"), InlineData("qwen3.5-moe")]
    public void Block_scaled_weights_of_recurrent_models_are_the_numbers_they_stand_for(string model)
    {
        const int Block = 24;                                                // neither rows nor columns are multiples of it
        using GoldenCheckpoint scaled = new(model), plain = new(model);
        foreach (var tensor in scaled.Tensors.Where(name => Quantised().IsMatch(name)).ToArray())
        {
            scaled.Quantise(tensor, Block, keep: true);
            plain.Quantise(tensor, Block, keep: false);
        }
        scaled.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["weight_block_size"] = new JsonArray(Block, Block) };
        var prompt = GoldenCase.Read(model).Prompts[1].PromptIds;
        using GreedyDriver actual = new(scaled.Load()), expected = new(plain.Load());
        var (a, e) = (actual.Generate(prompt, 4), expected.Generate(prompt, 4));
        Assert.Equal(e.Tokens, a.Tokens);
        for (var i = 0; i < 4; i++)
            for (var v = 0; v < e.Logits[i].Length; v++) Assert.Equal(e.Logits[i][v], a.Logits[i][v], 1e-3);
    }

    [Fact]
    public void Block_scaled_experts_that_are_stored_inputs_first_are_the_numbers_they_stand_for()
    {
        const int Block = 24;
        for (var seed = 0; seed < 6; seed++)
        {
            using var random = RandomCheckpoint.Create("qwen3_vl_moe", seed);
            using GoldenCheckpoint scaled = new(random.Folder), plain = new(random.Folder);
            foreach (var tensor in scaled.Tensors.Where(name => Quantised().IsMatch(name)).ToArray())
            {
                scaled.Quantise(tensor, Block, keep: true);
                plain.Quantise(tensor, Block, keep: false);
            }
            scaled.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["weight_block_size"] = new JsonArray(Block, Block) };
            using GreedyDriver kept = new(scaled.Load()), widened = new(scaled.Load(new() { Threads = 1, DType = "f32" })), expected = new(plain.Load());
            var prompt = RandomPrompt.Create(expected.Runner.Model, new Random(seed), count: 20);
            var e = expected.Generate(prompt.Tokens, 3, images: prompt.Images);
            var (k, w) = (kept.Generate(prompt.Tokens, 3, images: prompt.Images), widened.Generate(prompt.Tokens, 3, images: prompt.Images));
            Assert.Equal(e.Logits, w.Logits);
            Assert.Equal(e.Tokens, k.Tokens);
            for (var i = 0; i < 3; i++)
                for (var v = 0; v < e.Logits[i].Length; v++) Assert.Equal(e.Logits[i][v], k.Logits[i][v], 1e-3);
        }
    }

    [Fact]
    public void Stacked_eight_bit_experts_without_their_factors_are_named()
    {
        using var random = Enumerable.Range(0, 20).Select(seed => RandomCheckpoint.Create("qwen3_vl_moe", seed)).First(made => made.Plan.Tensors.Keys.Any(name => name.EndsWith("experts.down_proj", StringComparison.Ordinal)));
        using var checkpoint = new GoldenCheckpoint(random.Folder);
        var tensor = checkpoint.Tensors.First(name => name.EndsWith("experts.down_proj", StringComparison.Ordinal));
        checkpoint.Quantise(tensor, 128, keep: true);
        Assert.Equal($"model.safetensors: tensor {tensor} has dtype F8_E4M3, but config.json has no quantization_config", checkpoint.Fails());
        checkpoint.Config["quantization_config"] = new JsonObject { ["quant_method"] = "compressed-tensors" };
        Assert.Equal("config.json: quantization_config: quant_method 'compressed-tensors' is not supported (fp8 is)", checkpoint.Fails());
        checkpoint.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["weight_block_size"] = new JsonArray(128, 128) };
        checkpoint.Load().Dispose();
        checkpoint.Remove(tensor + "_scale_inv");
        Assert.Equal($"tensor {tensor}_scale_inv is missing", checkpoint.Fails());
    }

    /// <summary>What published checkpoints quantise: all but routers, gates, norms, convolutions and tables; the projections of b and a too are left as they are.</summary>
    [GeneratedRegex(@"layers\.\d+\..*(\.[qkvo]_proj|in_proj_(qkvz?|z)|out_proj|experts?\..*(gate|up|down)_proj|experts\.(gate_up|down)_proj)(\.weight)?$")]
    private static partial Regex Quantised();

    [Fact]
    public void Memory_of_a_recurrent_model_is_split_and_kept_within_its_bound()
    {
        using var checkpoint = new GoldenCheckpoint("qwen3-next");
        using var runner = checkpoint.Load(new() { Threads = 1, MaxSequences = 2, KvMemoryBytes = 3_000_000 });
        var memory = runner.KvMemory;
        Assert.Equal(4, memory.StateSlots);
        Assert.True(memory.Layout.StateBlocks * memory.Layout.BlockBytes >= 3 * (3 * 160 * 4 + 4 * 32 * 16 * 4));
        Assert.Equal(memory.BlockCount - 4 * memory.Layout.StateBlocks, memory.KvBlocks);
        Assert.InRange(memory.Length, 3_000_000 - memory.Layout.BlockBytes, 3_000_000);
    }
}
