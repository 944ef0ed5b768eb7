using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>What the families with experts and recurrent layers refuse, by name.</summary>
public sealed class FamilyLoadTests
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
    [InlineData("qwen3-next", "rope_scaling", "{\"rope_type\":\"llama3\"}", "config.json: rope_scaling: rope_type 'llama3' is not supported (default and yarn are)")]
    [InlineData("qwen3-next", "head_dim", "24", "config.json: head_dim (24) is not a multiple of 16")]
    [InlineData("qwen3-next", "hidden_act", "\"gelu\"", "config.json: hidden_act 'gelu' is not supported (silu is)")]
    [InlineData("qwen3-next", "quantization_config", "{\"quant_method\":\"fp8\"}", "config.json: quantization_config is set: quantised weights are not supported")]
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
