using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Models;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>The cache table of docs/models.md, from the published configurations.</summary>
public sealed class CacheBytesTests
{
    private static readonly JsonObject Moe = new() { ["architectures"] = new JsonArray("Qwen3MoeForCausalLM"), ["model_type"] = "qwen3_moe", ["head_dim"] = 128, ["num_key_value_heads"] = 4, ["num_experts"] = 128, ["num_experts_per_tok"] = 8 };

    private static readonly JsonObject Delta = new()
    {
        ["head_dim"] = 256, ["num_key_value_heads"] = 2, ["num_experts"] = 512, ["num_experts_per_tok"] = 10, ["full_attention_interval"] = 4, ["linear_conv_kernel_dim"] = 4,
        ["linear_key_head_dim"] = 128, ["linear_value_head_dim"] = 128, ["linear_num_key_heads"] = 16, ["partial_rotary_factor"] = 0.25,
    };

    private static readonly JsonObject Latent = new()
    {
        ["kv_lora_rank"] = 512, ["q_lora_rank"] = 1536, ["qk_nope_head_dim"] = 128, ["qk_rope_head_dim"] = 64, ["v_head_dim"] = 128, ["n_routed_experts"] = 256,
        ["num_experts_per_tok"] = 8, ["moe_intermediate_size"] = 2048, ["index_n_heads"] = 64, ["index_head_dim"] = 128, ["index_topk"] = 2048,
        ["n_shared_experts"] = 1, ["n_group"] = 1, ["topk_group"] = 1, ["routed_scaling_factor"] = 2.5, ["first_k_dense_replace"] = 1, ["rms_norm_eps"] = 1e-6, ["rope_theta"] = 50000,
        ["indexer_rope_interleave"] = false,
    };

    public static TheoryData<string, string, long, long> Latents => new()
    {
        { "DeepSeek-V3", Json(With(Latent, "DeepseekV3ForCausalLM", "deepseek_v3"), 61, 7168, 128, 18432), 140_544, 40_016 },
        { "Kimi-K2", Json(With(Latent, "DeepseekV3ForCausalLM", "kimi_k2"), 61, 7168, 64, 18432), 140_544, 40_016 },
        { "DeepSeek-V3.2", Json(With(Latent, "DeepseekV32ForCausalLM", "deepseek_v32"), 61, 7168, 128, 18432), 171_776, 48_068 },
        { "GLM-5", Json(With(Latent, "GlmMoeDsaForCausalLM", "glm_moe_dsa"), 78, 6144, 64, 12288, ("qk_nope_head_dim", 192), ("v_head_dim", 256), ("q_lora_rank", 2048)), 219_648, 61_464 },
    };

    [Theory, MemberData(nameof(Latents))]
    public void Bytes_of_a_latent_are_those_in_the_documentation(string model, string json, long float32, long float8)
    {
        _ = model;
        using var document = JsonDocument.Parse(json);
        var (_, _, read) = ModelFamilies.Read(new ConfigSection(document.RootElement, "config.json"));
        var text = File.ReadAllText(Path.Combine(NanoAspire.Tests.RepositoryPaths.Root, "docs", "models.md"));
        foreach (var (type, token) in ((WeightType, long)[])[(WeightType.F32, float32), (WeightType.BF16, float32 / 2), (WeightType.E4M3, float8)])
        {
            Assert.Equal(64 * token, read.Cache(64, type).BlockBytes);
            Assert.Contains(token.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), text, StringComparison.Ordinal);
        }
    }

    /// <summary>Head sizes that fill their panels and others; E4M3 has a byte more for each head of keys and of values.</summary>
    [Theory, InlineData(128, 128), InlineData(80, 80), InlineData(50, 64), InlineData(2, 16)]
    public void Bytes_of_a_head_are_those_of_the_formulas_in_the_documentation(int headDim, int padded)
    {
        using var document = JsonDocument.Parse(Json(Moe, 48, 2048, 32, 6144, ("moe_intermediate_size", 768), ("head_dim", headDim)));
        var (_, _, read) = ModelFamilies.Read(new ConfigSection(document.RootElement, "config.json"));
        Assert.Equal(64 * 48 * 2 * 4 * padded * 4, read.Cache(64, WeightType.F32).BlockBytes);
        Assert.Equal(64 * 48 * 2 * 4 * padded * 2, read.Cache(64, WeightType.BF16).BlockBytes);
        Assert.Equal(64 * 48 * 2 * 4 * (padded + 1), read.Cache(64, WeightType.E4M3).BlockBytes);
    }

    /// <summary>DeepSeek-V4-Flash: the first two layers without entries, then ratios 4 and 128 in turn.</summary>
    [Theory, InlineData(64, 237_824, 186_752), InlineData(256, 158_784, 107_872)]
    public void Bytes_of_windows_and_entries_are_those_in_the_documentation(int blockSize, long float32, long bfloat16)
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("DeepseekV4ForCausalLM"), ["model_type"] = "deepseek_v4", ["vocab_size"] = 129280, ["max_position_embeddings"] = 1048576, ["hidden_size"] = 4096,
            ["num_hidden_layers"] = 43, ["num_attention_heads"] = 64, ["head_dim"] = 512, ["qk_rope_head_dim"] = 64, ["q_lora_rank"] = 1024, ["o_groups"] = 8, ["o_lora_rank"] = 1024,
            ["sliding_window"] = 128, ["compress_rope_theta"] = 160000, ["index_n_heads"] = 64, ["index_head_dim"] = 128, ["index_topk"] = 512, ["hc_mult"] = 4, ["hc_sinkhorn_iters"] = 20,
            ["n_routed_experts"] = 256, ["num_experts_per_tok"] = 6, ["moe_intermediate_size"] = 2048, ["n_shared_experts"] = 1,
            ["compress_ratios"] = new JsonArray([.. Enumerable.Range(0, 43).Select(layer => (JsonNode)(layer < 2 ? 0 : layer % 2 == 0 ? 4 : 128))]),
        };
        using var document = JsonDocument.Parse(config.ToJsonString());
        var (_, _, read) = ModelFamilies.Read(new ConfigSection(document.RootElement, "config.json"));
        Assert.Equal(blockSize * float32, read.Cache(blockSize, WeightType.F32).BlockBytes);
        Assert.Equal(blockSize * bfloat16, read.Cache(blockSize, WeightType.BF16).BlockBytes);
        Assert.Contains(float32.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(Path.Combine(NanoAspire.Tests.RepositoryPaths.Root, "docs", "models.md")), StringComparison.Ordinal);
    }

    public static TheoryData<string, string, long, long> Published => new()
    {
        { "Qwen3-0.6B", Json(new() { ["architectures"] = new JsonArray("Qwen3ForCausalLM"), ["model_type"] = "qwen3", ["head_dim"] = 128, ["num_key_value_heads"] = 8 }, 28, 1024, 16, 3072), 229_376, 0 },
        { "Qwen3-30B-A3B", Json(Moe, 48, 2048, 32, 6144, ("moe_intermediate_size", 768)), 196_608, 0 },
        { "Qwen3-235B-A22B", Json(Moe, 94, 4096, 64, 12288, ("moe_intermediate_size", 1536)), 385_024, 0 },
        { "Qwen3-Next-80B-A3B", Json(With(Delta, "Qwen3NextForCausalLM", "qwen3_next"), 48, 2048, 16, 5120, ("moe_intermediate_size", 512), ("linear_num_value_heads", 32)), 49_152, 79_036_416 },
        { "Qwen3.5-397B-A17B", Json(Delta, 60, 4096, 32, 0, ("moe_intermediate_size", 1024), ("linear_num_value_heads", 64)), 61_440, 195_379_200 },
    };

    [Theory, MemberData(nameof(Published))]
    public void Bytes_of_a_token_and_of_a_state_are_those_in_the_documentation(string model, string json, long token, long state)
    {
        var config = JsonNode.Parse(json)!.AsObject();
        if (config["architectures"] is null)
            config = new() { ["architectures"] = new JsonArray("Qwen3_5MoeForConditionalGeneration"), ["model_type"] = "qwen3_5_moe", ["text_config"] = config };
        using var document = JsonDocument.Parse(config.ToJsonString());
        var (_, _, read) = ModelFamilies.Read(new ConfigSection(document.RootElement, "config.json"));
        foreach (var blockSize in (int[])[64, 256])
        {
            var geometry = read.Cache(blockSize, WeightType.F32);
            Assert.True(token * blockSize == geometry.BlockBytes, model);
            Assert.Equal(state, geometry.StateBytes);
            Assert.Equal(geometry.BlockBytes, 2 * read.Cache(blockSize, WeightType.BF16).BlockBytes);
        }
        Assert.Contains(token.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(Path.Combine(NanoAspire.Tests.RepositoryPaths.Root, "docs", "models.md")), StringComparison.Ordinal);
    }

    private static JsonObject With(JsonObject config, string architecture, string modelType)
    {
        config = config.DeepClone().AsObject();
        (config["architectures"], config["model_type"]) = (new JsonArray(architecture), modelType);
        return config;
    }

    private static string Json(JsonObject config, int layers, int hidden, int heads, int intermediate, params (string Field, int Value)[] more)
    {
        config = config.DeepClone().AsObject();
        foreach (var (field, value) in ((string, int)[])[("num_hidden_layers", layers), ("hidden_size", hidden), ("num_attention_heads", heads), ("vocab_size", 151936), ("max_position_embeddings", 40960), .. more]) config[field] = value;
        if (intermediate > 0) config["intermediate_size"] = intermediate;
        return config.ToJsonString();
    }
}
