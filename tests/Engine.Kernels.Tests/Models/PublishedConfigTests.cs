using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Models;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>config.json of published models, with all its fields: understood as it is, shapes as published.</summary>
public sealed class PublishedConfigTests
{
    private const string Qwen3 = """
        {"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu",
        "initializer_range":0.02,"max_position_embeddings":40960,"max_window_layers":28,"model_type":"qwen3","rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,
        "sliding_window":null,"torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,"vocab_size":151936}
        """;

    private const string Qwen3Moe = """
        {"architectures":["Qwen3MoeForCausalLM"],"model_type":"qwen3_moe","decoder_sparse_step":1,"mlp_only_layers":[],"norm_topk_prob":true,"num_experts":128,"num_experts_per_tok":8,
        "num_key_value_heads":4,"output_router_logits":false,"router_aux_loss_coef":0.001,"tie_word_embeddings":false}
        """;

    private const string Qwen3Next = """
        {"architectures":["Qwen3NextForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"decoder_sparse_step":1,"eos_token_id":151645,
        "full_attention_interval":4,"head_dim":256,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":5120,"linear_conv_kernel_dim":4,
        "linear_key_head_dim":128,"linear_num_key_heads":16,"linear_num_value_heads":32,"linear_value_head_dim":128,"max_position_embeddings":262144,"mlp_only_layers":[],
        "model_type":"qwen3_next","moe_intermediate_size":512,"norm_topk_prob":true,"num_attention_heads":16,"num_experts":512,"num_experts_per_tok":10,"num_hidden_layers":48,
        "num_key_value_heads":2,"output_router_logits":false,"partial_rotary_factor":0.25,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":10000000,
        "router_aux_loss_coef":0.001,"shared_expert_intermediate_size":512,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.57.0.dev0",
        "use_cache":true,"use_sliding_window":false,"vocab_size":151936}
        """;

    private const string Qwen35 = """
        {"architectures":["Qwen3_5MoeForConditionalGeneration"],"image_token_id":248056,"model_type":"qwen3_5_moe","tie_word_embeddings":false,"transformers_version":"4.57.0.dev0",
        "video_token_id":248057,"vision_end_token_id":248054,"vision_start_token_id":248053,
        "text_config":{"attention_bias":false,"attention_dropout":0.0,"attn_output_gate":true,"dtype":"bfloat16","eos_token_id":248044,"full_attention_interval":4,"head_dim":256,
        "hidden_act":"silu","initializer_range":0.02,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_value_head_dim":128,
        "mamba_ssm_dtype":"float32","max_position_embeddings":262144,"mlp_only_layers":[],"model_type":"qwen3_5_moe_text","mtp_num_hidden_layers":1,
        "mtp_use_dedicated_embeddings":false,"num_key_value_heads":2,"output_router_logits":false,"rms_norm_eps":1e-06,"router_aux_loss_coef":0.001,"use_cache":true,
        "vocab_size":248320,"rope_parameters":{"mrope_interleaved":true,"mrope_section":[11,11,10],"rope_type":"default","rope_theta":10000000,"partial_rotary_factor":0.25}},
        "vision_config":{"deepstack_visual_indexes":[],"depth":27,"hidden_act":"gelu_pytorch_tanh","hidden_size":1152,"in_channels":3,"initializer_range":0.02,
        "intermediate_size":4304,"model_type":"qwen3_5_moe","num_heads":16,"num_position_embeddings":2304,"out_hidden_size":4096,"patch_size":16,"spatial_merge_size":2,
        "temporal_patch_size":2}}
        """;

    private const string Qwen3VL = """
        {"architectures":["Qwen3VLForConditionalGeneration"],"image_token_id":151655,"model_type":"qwen3_vl","tie_word_embeddings":false,"transformers_version":"4.57.0.dev0",
        "video_token_id":151656,"vision_end_token_id":151653,"vision_start_token_id":151652,
        "text_config":{"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"dtype":"bfloat16","eos_token_id":151645,"head_dim":128,"hidden_act":"silu",
        "initializer_range":0.02,"max_position_embeddings":262144,"model_type":"qwen3_vl_text","num_key_value_heads":8,"rms_norm_eps":1e-06,
        "rope_scaling":{"mrope_interleaved":true,"mrope_section":[24,20,20],"rope_type":"default"},"rope_theta":5000000,"use_cache":true,"vocab_size":151936},
        "vision_config":{"deepstack_visual_indexes":[8,16,24],"depth":27,"hidden_act":"gelu_pytorch_tanh","hidden_size":1152,"in_channels":3,"initializer_range":0.02,
        "intermediate_size":4304,"model_type":"qwen3_vl","num_heads":16,"num_position_embeddings":2304,"out_hidden_size":4096,"patch_size":16,"spatial_merge_size":2,
        "temporal_patch_size":2}}
        """;

    private const string Qwen3VLMoeText = """
        {"decoder_sparse_step":1,"mlp_only_layers":[],"model_type":"qwen3_vl_moe_text","norm_topk_prob":true,"num_experts":128,"num_experts_per_tok":8,"num_key_value_heads":4}
        """;

    private const string DeepSeekV3 = """
        {"architectures":["DeepseekV3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config","AutoModelForCausalLM":"modeling_deepseek.DeepseekV3ForCausalLM"},"bos_token_id":0,"eos_token_id":1,
        "ep_size":1,"first_k_dense_replace":3,"hidden_act":"silu","hidden_size":7168,"initializer_range":0.02,"intermediate_size":18432,"kv_lora_rank":512,
        "max_position_embeddings":163840,"model_type":"deepseek_v3","moe_intermediate_size":2048,"moe_layer_freq":1,"n_group":8,"n_routed_experts":256,"n_shared_experts":1,
        "norm_topk_prob":true,"num_attention_heads":128,"num_experts_per_tok":8,"num_hidden_layers":61,"num_key_value_heads":128,"num_nextn_predict_layers":1,"q_lora_rank":1536,
        "qk_nope_head_dim":128,"qk_rope_head_dim":64,"quantization_config":{"activation_scheme":"dynamic","fmt":"e4m3","quant_method":"fp8","weight_block_size":[128,128]},
        "rms_norm_eps":1e-06,"rope_scaling":{"beta_fast":32,"beta_slow":1,"factor":40,"mscale":1.0,"mscale_all_dim":1.0,"original_max_position_embeddings":4096,"type":"yarn"},
        "rope_theta":10000,"routed_scaling_factor":2.5,"scoring_func":"sigmoid","tie_word_embeddings":false,"topk_group":4,"topk_method":"noaux_tc","torch_dtype":"bfloat16",
        "transformers_version":"4.33.1","use_cache":true,"v_head_dim":128,"vocab_size":129280}
        """;

    private const string KimiK2 = """
        {"model_type":"kimi_k2","aux_loss_alpha":0.001,"bos_token_id":163584,"eos_token_id":163585,"first_k_dense_replace":1,"max_position_embeddings":131072,"n_group":1,
        "n_routed_experts":384,"num_attention_heads":64,"num_key_value_heads":64,"num_nextn_predict_layers":0,"pretraining_tp":1,"rope_theta":50000.0,
        "rope_scaling":{"beta_fast":1.0,"beta_slow":1.0,"factor":32.0,"mscale":1.0,"mscale_all_dim":1.0,"original_max_position_embeddings":4096,"type":"yarn"},
        "routed_scaling_factor":2.827,"seq_aux":true,"topk_group":1,"vocab_size":163840}
        """;

    private const string Glm5 = """
        {"architectures":["GlmMoeDsaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"dtype":"bfloat16","eos_token_id":[154820,154827,154829],"ep_size":1,
        "first_k_dense_replace":3,"head_dim":64,"hidden_act":"silu","hidden_size":6144,"index_head_dim":128,"index_n_heads":32,"index_topk":2048,"indexer_rope_interleave":true,
        "initializer_range":0.02,"intermediate_size":12288,"kv_lora_rank":512,"max_position_embeddings":202752,"model_type":"glm_moe_dsa","moe_intermediate_size":2048,
        "moe_layer_freq":1,"n_group":1,"n_routed_experts":256,"n_shared_experts":1,"norm_topk_prob":true,"num_attention_heads":64,"num_experts_per_tok":8,"num_hidden_layers":78,
        "num_key_value_heads":64,"num_nextn_predict_layers":1,"pad_token_id":154820,"pretraining_tp":1,"q_lora_rank":2048,"qk_head_dim":256,"qk_nope_head_dim":192,
        "qk_rope_head_dim":64,"rms_norm_eps":1e-05,"rope_interleave":true,"rope_parameters":{"rope_theta":1000000,"rope_type":"default"},"routed_scaling_factor":2.5,
        "scoring_func":"sigmoid","tie_word_embeddings":false,"topk_group":1,"topk_method":"noaux_tc","transformers_version":"5.0.2.dev0","use_cache":true,"v_head_dim":256,
        "vocab_size":154880}
        """;

    private const string DeepSeekV4 = """
        {"architectures":["DeepseekV4ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":0,"eos_token_id":1,"expert_dtype":"fp4","hc_eps":1e-06,"hc_mult":4,
        "hc_sinkhorn_iters":20,"head_dim":512,"hidden_act":"silu","hidden_size":4096,"index_head_dim":128,"index_n_heads":64,"index_topk":512,"initializer_range":0.02,
        "max_position_embeddings":1048576,"model_type":"deepseek_v4","moe_intermediate_size":2048,"n_routed_experts":256,"n_shared_experts":1,"norm_topk_prob":true,
        "num_attention_heads":64,"num_experts_per_tok":6,"num_hash_layers":3,"num_hidden_layers":43,"num_key_value_heads":1,"num_nextn_predict_layers":1,"o_groups":8,
        "o_lora_rank":1024,"q_lora_rank":1024,"qk_rope_head_dim":64,"rms_norm_eps":1e-06,
        "rope_scaling":{"beta_fast":32,"beta_slow":1,"factor":16,"original_max_position_embeddings":65536,"type":"yarn"},"rope_theta":10000,"compress_rope_theta":160000,
        "routed_scaling_factor":1.5,"scoring_func":"sqrtsoftplus","sliding_window":128,"swiglu_limit":10.0,"tie_word_embeddings":false,"topk_method":"noaux_tc",
        "torch_dtype":"bfloat16","transformers_version":"4.57.1","use_cache":true,"vocab_size":129280}
        """;

    [Theory]
    [InlineData(1024, 3072, 28, 16, true), InlineData(2048, 6144, 28, 16, true), InlineData(2560, 9728, 36, 32, true)]
    [InlineData(4096, 12288, 36, 32, false), InlineData(5120, 17408, 40, 40, false), InlineData(5120, 25600, 64, 64, false)]
    public void Qwen3_from_the_smallest_to_the_largest_dense_one(int hidden, int size, int layers, int heads, bool tied)
    {
        var read = Assert.IsType<Qwen3Config>(Read(Qwen3, ("hidden_size", hidden), ("intermediate_size", size), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("num_key_value_heads", 8), ("tie_word_embeddings", tied)));
        Assert.Equal((hidden, size, layers, heads, 8, 128, tied), (read.HiddenSize, read.IntermediateSize, read.Layers, read.Heads, read.KvHeads, read.HeadDim, read.TiedEmbeddings));
        Assert.Equal((151936, 40960, 1e6, null), (read.VocabSize, read.MaxPositions, read.Rope.Theta, read.Rope.Scaling));
        Assert.Equal(0, read.SparseLayers.Count);
    }

    [Theory, InlineData(2048, 6144, 768, 48, 32, false), InlineData(4096, 12288, 1536, 94, 64, false), InlineData(4096, 12288, 1536, 94, 64, true)]
    public void Qwen3_with_experts(int hidden, int size, int expert, int layers, int heads, bool quantised)
    {
        var config = Merge(Qwen3, Qwen3Moe);
        if (quantised) config["quantization_config"] = JsonNode.Parse(DeepSeekV3)!["quantization_config"]!.DeepClone();
        var read = Assert.IsType<Qwen3Config>(Read(config, ("hidden_size", hidden), ("intermediate_size", size), ("moe_intermediate_size", expert), ("num_hidden_layers", layers), ("num_attention_heads", heads)));
        Assert.Equal((4, 128, 8, expert, layers), (read.KvHeads, read.Experts!.Router.Experts, read.Experts.Router.TopK, read.Experts.ExpertSize, read.SparseLayers.Count));
        Assert.True(read.Experts.Router.Normalise);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Qwen3_Next(bool quantised)
    {
        var config = JsonNode.Parse(Qwen3Next)!.AsObject();
        if (quantised)
        {
            config["quantization_config"] = JsonNode.Parse(DeepSeekV3)!["quantization_config"]!.DeepClone();
            config["quantization_config"]!["modules_to_not_convert"] = new JsonArray("lm_head", "model.layers.0.linear_attn.conv1d", "model.layers.0.mlp.gate");
        }
        var read = Assert.IsType<Qwen3NextConfig>(Read(config));
        Assert.Equal((48, 12, 48, 64, 512, 512, 10), (read.Layers, read.FullLayers.Count, read.SparseLayers.Count, read.RotaryDim, read.Experts.SharedSize, read.Experts.Router.Experts, read.Experts.Router.TopK));
        Assert.Equal((16, 32, 4, true), (read.DeltaNet.KeyHeads, read.DeltaNet.ValueHeads, read.DeltaNet.Taps, read.DeltaNet.Fused));
    }

    [Theory, InlineData(2048, 40, 16, 32, 256, 8, 512, false), InlineData(4096, 60, 32, 64, 512, 10, 1024, false), InlineData(4096, 60, 32, 64, 512, 10, 1024, true)]
    public void Qwen35_with_experts(int hidden, int layers, int heads, int valueHeads, int experts, int chosen, int size, bool quantised)
    {
        var config = JsonNode.Parse(Qwen35)!.AsObject();
        foreach (var (field, value) in ((string, int)[])[("hidden_size", hidden), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("linear_num_value_heads", valueHeads),
            ("num_experts", experts), ("num_experts_per_tok", chosen), ("moe_intermediate_size", size), ("shared_expert_intermediate_size", size)]) config["text_config"]![field] = value;
        config["text_config"]!["layer_types"] = new JsonArray([.. Enumerable.Range(0, layers).Select(layer => (JsonNode)(layer % 4 == 3 ? "full_attention" : "linear_attention"))]);
        if (quantised) config["quantization_config"] = JsonNode.Parse(DeepSeekV3)!["quantization_config"]!.DeepClone();
        var read = Assert.IsType<Qwen3NextConfig>(Read(config));
        Assert.Equal((layers / 4, layers, 64, size, experts, chosen), (read.FullLayers.Count, read.SparseLayers.Count, read.RotaryDim, read.Experts.SharedSize, read.Experts.Router.Experts, read.Experts.Router.TopK));
        Assert.Equal((248320, 262144, 1e7, true, false), (read.VocabSize, read.MaxPositions, read.Rope.Theta, read.GatedAttention, read.DeltaNet.Fused));
        Assert.Equal((248056, 0), (read.Images!.TokenId, read.Images.DeepstackLayers));
        Assert.True(read.Experts.Router.Normalise);
    }

    [Theory]
    [InlineData(2048, 6144, 28, 16, true, false), InlineData(2560, 9728, 36, 32, true, true), InlineData(4096, 12288, 36, 32, false, false), InlineData(5120, 25600, 64, 64, false, true)]
    public void Qwen3_VL_as_it_is_published_and_as_it_is_saved_today(int hidden, int size, int layers, int heads, bool tied, bool saved)
    {
        var config = JsonNode.Parse(Qwen3VL)!.AsObject();
        SetText(config, ("hidden_size", hidden), ("intermediate_size", size), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("tie_word_embeddings", tied));
        if (saved) NestTheta(config);
        var read = Assert.IsType<Qwen3Config>(Read(config));
        Assert.Equal((hidden, size, layers, heads, 8, 128, tied), (read.HiddenSize, read.IntermediateSize, read.Layers, read.Heads, read.KvHeads, read.HeadDim, read.TiedEmbeddings));
        Assert.Equal((151655, 3, 5e6, "24 20 20", 0), (read.Images!.TokenId, read.Images.DeepstackLayers, read.Rope.Theta, read.Axes!.ToString(), read.SparseLayers.Count));
    }

    /// <summary>Whether the head is the embedding is said beside the text model, or in it.</summary>
    [Theory, InlineData(null, true, true), InlineData(null, false, false), InlineData(null, null, false), InlineData(true, null, true), InlineData(true, false, true)]
    public void Qwen3_VL_and_Qwen35_tie_their_head_at_either_level(bool? inner, bool? outer, bool tied)
    {
        var vision = JsonNode.Parse(Qwen3VL)!.AsObject();
        SetText(vision, ("hidden_size", 2048), ("intermediate_size", 6144), ("num_hidden_layers", 28), ("num_attention_heads", 16));
        var recurrent = JsonNode.Parse(Qwen35)!.AsObject();
        SetText(recurrent, ("hidden_size", 2048), ("num_hidden_layers", 40), ("num_attention_heads", 16), ("linear_num_value_heads", 32), ("num_experts", 256), ("num_experts_per_tok", 8),
            ("moe_intermediate_size", 512), ("shared_expert_intermediate_size", 512));
        foreach (var config in (JsonObject[])[vision, recurrent])
        {
            (config["text_config"]!["tie_word_embeddings"], config["tie_word_embeddings"]) = (inner, outer);
            Assert.Equal(tied, Read(config) switch { Qwen3Config read => read.TiedEmbeddings, var read => ((Qwen3NextConfig)read).TiedEmbeddings });
        }
    }

    [Theory, InlineData(2048, 6144, 768, 48, 32, false, false), InlineData(4096, 12288, 1536, 94, 64, false, true), InlineData(2048, 6144, 768, 48, 32, true, false)]
    public void Qwen3_VL_with_experts(int hidden, int size, int expert, int layers, int heads, bool quantised, bool saved)
    {
        var config = JsonNode.Parse(Qwen3VL)!.AsObject();
        (config["architectures"], config["model_type"]) = (new JsonArray("Qwen3VLMoeForConditionalGeneration"), "qwen3_vl_moe");
        config["text_config"] = Merge(config["text_config"]!.ToJsonString(), Qwen3VLMoeText);
        SetText(config, ("hidden_size", hidden), ("intermediate_size", size), ("moe_intermediate_size", expert), ("num_hidden_layers", layers), ("num_attention_heads", heads));
        if (quantised) config["quantization_config"] = JsonNode.Parse(DeepSeekV3)!["quantization_config"]!.DeepClone();
        if (saved) NestTheta(config);
        if (saved) config["text_config"]!.AsObject().Remove("norm_topk_prob");
        var read = Assert.IsType<Qwen3Config>(Read(config));
        Assert.Equal((hidden, 4, 128, 8, expert, layers), (read.HiddenSize, read.KvHeads, read.Experts!.Router.Experts, read.Experts.Router.TopK, read.Experts.ExpertSize, read.SparseLayers.Count));
        Assert.Equal((true, true, false), (read.Experts.Router.Normalise, read.Experts.InputsFirst, read.TiedEmbeddings));
        Assert.Equal((151655, 3, 5e6, "24 20 20"), (read.Images!.TokenId, read.Images.DeepstackLayers, read.Rope.Theta, read.Axes!.ToString()));
    }

    [Fact]
    public void DeepSeek_V3_and_R1()
    {
        var read = Assert.IsType<DeepSeekV3Config>(Read(DeepSeekV3));
        Assert.Equal((61, 58, 1, 128, 1536, 512, 192), (read.Layers, read.SparseLayers.Count, read.DraftLayers, read.Attention.Heads, read.Attention.QueryRank, read.Attention.LatentRank, read.Attention.QueryDim));
        Assert.Equal((256, 8, 8, 4, 2.5f), (read.Experts.Router.Experts, read.Experts.Router.TopK, read.Experts.Router.Groups, read.Experts.Router.TopGroups, read.Experts.Router.Scale));
        Assert.Equal(Math.Pow(0.1 * Math.Log(40) + 1, 2) / Math.Sqrt(192), read.Attention.Scale, 1e-6);
        Assert.Equal(1, read.Attention.Rope.Scaling!.AttentionFactor, 1e-12);
        Assert.Null(read.Attention.Indexer);
    }

    [Fact]
    public void Kimi_K2()
    {
        var read = Assert.IsType<DeepSeekV3Config>(Read(Merge(DeepSeekV3, KimiK2)));
        Assert.Equal((61, 60, 0, 64, 163840, 131072), (read.Layers, read.SparseLayers.Count, read.DraftLayers, read.Attention.Heads, read.VocabSize, read.MaxPositions));
        Assert.Equal((384, 8, 1, 2.827f), (read.Experts.Router.Experts, read.Experts.Router.TopK, read.Experts.Router.Groups, read.Experts.Router.Scale));
    }

    [Fact]
    public void DeepSeek_V32_and_its_experiment()
    {
        var config = Merge(DeepSeekV3, """{"architectures":["DeepseekV32ForCausalLM"],"model_type":"deepseek_v32","index_head_dim":128,"index_n_heads":64,"index_topk":2048}""");
        config["quantization_config"]!["scale_fmt"] = "ue8m0";
        var read = Assert.IsType<DeepSeekV3Config>(Read(config));
        Assert.Equal((64, 128, 2048, RopePairing.Halves), (read.Attention.Indexer!.Heads, read.Attention.Indexer.HeadDim, read.Attention.Indexer.TopK, read.Attention.Indexer.Pairing));
        Assert.Equal(RopePairing.Neighbours, read.Attention.Pairing);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void GLM_5(bool layerTypes)
    {
        var config = JsonNode.Parse(Glm5)!.AsObject();
        if (layerTypes) config["mlp_layer_types"] = new JsonArray([.. Enumerable.Range(0, 78).Select(layer => (JsonNode)(layer < 3 ? "dense" : "sparse"))]);
        var read = Assert.IsType<DeepSeekV3Config>(Read(config));
        Assert.Equal((78, 75, 1, 256, 256, 154880), (read.Layers, read.SparseLayers.Count, read.DraftLayers, read.Attention.QueryDim, read.Attention.ValueDim, read.VocabSize));
        Assert.Equal((32, 2048, RopePairing.Neighbours, 0), (read.Attention.Indexer!.Heads, read.Attention.Indexer.TopK, read.Attention.Indexer.Pairing, read.Attention.Indexer.Shared.Count));
        Assert.Equal((1e6, null, 1e-5f), (read.Attention.Rope.Theta, read.Attention.Rope.Scaling, read.NormEpsilon));
    }

    [Fact]
    public void DeepSeek_V4_Flash()
    {
        var config = JsonNode.Parse(DeepSeekV4)!.AsObject();
        // One more than there are layers: the last is of the layer that drafts.
        config["compress_ratios"] = new JsonArray([.. Enumerable.Range(0, 44).Select(layer => (JsonNode)(layer is < 2 or 43 ? 0 : layer % 2 == 0 ? 4 : 128))]);
        var read = Assert.IsType<DeepSeekV4Config>(Read(config));
        Assert.Equal((43, 21, 20), (read.Layers, Enumerable.Range(0, 43).Count(read.IsSparse), Enumerable.Range(0, 43).Count(layer => read.Ratios[layer] == 128)));
        Assert.Equal((3, 6, 256, 10f, 1.5f), (read.HashLayers, read.Experts.Router.TopK, read.Experts.Router.Experts, read.Experts.Limit, read.Experts.Router.Scale));
        Assert.Equal((null, 1.0), (read.Rope.Scaling, read.CompressedRope.Scaling!.AttentionFactor));
        Assert.Equal((1, 0, 64 * 512 * 2), (read.DraftLayers, read.DraftRatio, read.DraftCache(64, WeightType.BF16)!.BlockBytes));
        config["quantization_config"] = JsonNode.Parse("""{"activation_scheme":"dynamic","fmt":"e4m3","quant_method":"fp8","scale_fmt":"ue8m0","weight_block_size":[128,128]}""");
        Assert.IsType<DeepSeekV4Config>(Read(config));
        Assert.Equal(new(128, 128, Packed: true), Scales(config));
        config["expert_dtype"] = "fp8";                                      // as the base models are published
        Assert.Equal(new(128, 128, Packed: false), Scales(config));
    }

    private static Quantisation? Scales(JsonObject config)
    {
        using var document = JsonDocument.Parse(config.ToJsonString());
        return Quantisation.Read(new(document.RootElement, "config.json"));
    }

    private static void SetText(JsonObject config, params (string Field, JsonNode Value)[] fields)
    {
        foreach (var (field, value) in fields) config["text_config"]![field] = value;
    }

    /// <summary>One section with all about rotation, the base included.</summary>
    private static void NestTheta(JsonObject config)
    {
        var text = config["text_config"]!.AsObject();
        var rope = text["rope_scaling"]!.DeepClone();
        rope["rope_theta"] = text["rope_theta"]!.DeepClone();
        text["rope_parameters"] = rope;
        text.Remove("rope_scaling");
        text.Remove("rope_theta");
    }

    private static JsonObject Merge(string json, string more)
    {
        var config = JsonNode.Parse(json)!.AsObject();
        foreach (var (field, value) in JsonNode.Parse(more)!.AsObject()) config[field] = value?.DeepClone();
        return config;
    }

    private static IModelConfig Read(string json, params (string Field, JsonNode Value)[] more) => Read(JsonNode.Parse(json)!.AsObject(), more);

    private static IModelConfig Read(JsonObject config, params (string Field, JsonNode Value)[] more)
    {
        foreach (var (field, value) in more) config[field] = value;
        using var document = JsonDocument.Parse(config.ToJsonString());
        var section = new ConfigSection(document.RootElement, "config.json");
        var (_, _, read) = ModelFamilies.Read(section);
        Assert.Equal(config.ContainsKey("quantization_config"), Quantisation.Read(section) is not null);
        Assert.True(read.Cache(64, WeightType.BF16).BlockBytes > 0);
        return read;
    }
}
