using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>Reference checkpoints spoiled in one respect: each is refused with the field or tensor named.</summary>
public sealed class DeepSeekConfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nanoaspire-deepseek-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("deepseek-v3.2", "index_topk", "0", "config.json: index_topk must be a positive integer, not 0")]
    [InlineData("deepseek-v3.2", "index_n_heads", null, "config.json: index_n_heads is missing")]
    [InlineData("deepseek-v3.2", "index_head_dim", "8", "config.json: index_head_dim (8) is less than qk_rope_head_dim (16)")]
    [InlineData("deepseek-v3.2", "q_lora_rank", "null", "config.json: q_lora_rank is missing: the indexer reads the query latent")]
    [InlineData("glm-5-shared-indexer", "indexer_types", "[\"full\",\"full\"]", "config.json: indexer_types names 2 of 5 layers")]
    [InlineData("glm-5-shared-indexer", "indexer_types", "[\"shared\",\"full\",\"full\",\"full\",\"full\"]", "config.json: indexer_types begins with 'shared', which has nothing to share")]
    [InlineData("glm-5-shared-indexer", "indexer_types", "[\"full\",\"half\",\"full\",\"full\",\"full\"]", "config.json: indexer_types 'half' is not supported (full and shared are)")]
    [InlineData("glm-5-shared-indexer", "indexer_types", null, "config.json: index_topk_freq above 1 needs indexer_types")]
    [InlineData("glm-5-shared-indexer", "indexer_types", "[\"full\",\"full\",\"full\",\"full\",\"full\"]", "tensor model.layers.2.self_attn.indexer.wq_b.weight is missing")]
    [InlineData("glm-5-shared-indexer", "indexer_types", "[\"full\",\"shared\",\"shared\",\"full\",\"shared\"]", "model.safetensors: tensor model.layers.1.self_attn.indexer.k_norm.bias is not part of this architecture")]
    [InlineData("glm-5", "qk_head_dim", "64", "config.json: qk_head_dim (64) is not qk_nope_head_dim + qk_rope_head_dim (40)")]
    [InlineData("glm-5", "mlp_layer_types", "[\"dense\"]", "config.json: mlp_layer_types names 1 of 4 layers")]
    [InlineData("glm-5", "mlp_layer_types", "[\"dense\",\"sparse\",\"wide\",\"sparse\"]", "config.json: mlp_layer_types 'wide' is not supported (dense and sparse are)")]
    [InlineData("glm-5", "rope_parameters", "{\"full_attention\":{\"rope_type\":\"default\"}}", "config.json: rope_parameters by layer type is not supported by this architecture")]
    [InlineData("deepseek-v3", "rope_scaling", "{\"type\":\"dynamic\",\"factor\":4}", "config.json: rope_scaling: type 'dynamic' is not supported (default, linear, llama3 and yarn are)")]
    [InlineData("deepseek-v3", "qk_rope_head_dim", "15", "config.json: qk_rope_head_dim (15) is not even")]
    [InlineData("deepseek-v3", "kv_lora_rank", null, "config.json: kv_lora_rank is missing")]
    [InlineData("deepseek-v3", "scoring_func", "\"tanh\"", "config.json: scoring_func 'tanh' is not supported (sigmoid and softmax are)")]
    [InlineData("deepseek-v3", "topk_method", "\"greedy\"", "config.json: topk_method 'greedy' is not supported (noaux_tc is)")]
    [InlineData("deepseek-v3", "topk_group", "5", "config.json: topk_group (5) is more than n_group (4)")]
    [InlineData("deepseek-v3", "n_group", "3", "config.json: n_group (3) does not divide n_routed_experts (16)")]
    [InlineData("deepseek-v3", "n_routed_experts", "20", "model.safetensors: tensor model.layers.1.mlp.gate.weight has shape [16, 64], expected [20, 64]")]
    [InlineData("deepseek-v3", "num_nextn_predict_layers", "0", "model.safetensors: tensor model.layers.4.eh_proj.weight is not part of this architecture")]
    [InlineData("deepseek-v3", "vocab_size", "330", "model.safetensors: tensor model.embed_tokens.weight has shape [320, 64], expected [330, 64]")]
    [InlineData("deepseek-v3", "attention_bias", "true", "config.json: attention_bias true is not supported")]
    [InlineData("deepseek-v3", "model_type", "\"qwen3\"", "config.json: model_type 'qwen3' does not belong to architecture DeepseekV3ForCausalLM")]
    [InlineData("deepseek-v3-fp8", "quantization_config", "{\"quant_method\":\"gptq\"}", "config.json: quantization_config: quant_method 'gptq' is not supported (fp8 is)")]
    [InlineData("deepseek-v3-fp8", "quantization_config", null, "model.safetensors: tensor model.layers.0.self_attn.q_a_proj.weight has dtype F8_E4M3, but config.json has no quantization_config")]
    [InlineData("deepseek-v3-fp8", "quantization_config", "{\"quant_method\":\"fp8\",\"weight_block_size\":[64,128]}", "model.safetensors: tensor model.layers.0.self_attn.o_proj.weight_scale_inv has shape [2, 1], expected [3, 1]")]
    public void What_cannot_be_served_is_refused_by_name(string golden, string field, string? json, string message)
    {
        Change(golden, config =>
        {
            if (json is null) config.Remove(field);
            else config[field] = JsonNode.Parse(json);
        });
        Assert.Equal(message, Assert.Throws<ModelLoadException>(() => ModelLoader.Load(_folder, new() { Threads = 2 })).Message);
    }

    [Fact]
    public void Names_of_the_same_family_and_spellings_of_the_same_rotation_are_the_same_model()
    {
        var prompt = GoldenCase.Read("kimi-k2").Prompts[1];
        using var usual = GreedyDriver.Load(GoldenCase.Folder("kimi-k2"));
        Change("kimi-k2", config =>
        {
            config["architectures"] = new JsonArray("KimiK2ForCausalLM");
            var parameters = config["rope_scaling"]!.DeepClone();
            parameters["rope_type"] = "yarn";
            parameters["rope_theta"] = config["rope_theta"]!.DeepClone();
            parameters.AsObject().Remove("type");
            config["rope_parameters"] = parameters;
            config.Remove("rope_scaling");
            config.Remove("rope_theta");
        });
        using var other = GreedyDriver.Load(_folder);
        Assert.Equal(usual.Generate(prompt.PromptIds, 5).Logits, other.Generate(prompt.PromptIds, 5).Logits);
    }

    [Fact]
    public void A_choice_of_more_positions_than_there_are_is_dense_attention()
    {
        var prompt = GoldenCase.Read("glm-5").Prompts[2].PromptIds;
        Change("glm-5", config => config["index_topk"] = prompt.Length + 5);
        using var longer = GreedyDriver.Load(_folder);
        Change("glm-5", config => config["index_topk"] = 4096);
        using var dense = GreedyDriver.Load(_folder);
        var (expected, actual) = (dense.Generate(prompt, 12), longer.Generate(prompt, 12));      // the last ones choose
        for (var i = 0; i <= 5; i++) Assert.Equal(expected.Logits[i], actual.Logits[i]);
        using var sparse = GreedyDriver.Load(GoldenCase.Folder("glm-5"));
        Assert.NotEqual(expected.Logits[0], sparse.Generate(prompt, 1).Logits[0]);
    }

    private void Change(string golden, Action<JsonObject> change)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenCase.Folder(golden), "config.json")))!.AsObject();
        change(config);
        File.WriteAllText(Path.Combine(_folder, "config.json"), config.ToJsonString());
        File.Copy(Path.Combine(GoldenCase.Folder(golden), "model.safetensors"), Path.Combine(_folder, "model.safetensors"), overwrite: true);
    }
}
