using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>A field that is absent means what Hugging Face's configuration of the family says, and where that differs between versions it is demanded.</summary>
public sealed class ConfigDefaultsTests
{
    private const string Demanded = "";

    /// <summary>Family, field of the text model, its default as JSON.</summary>
    public static TheoryData<string, string, string> Fields
    {
        get
        {
            var table = new TheoryData<string, string, string>();
            string[] latent = ["deepseek_v3", "kimi_k2", "deepseek_v32", "glm_moe_dsa"], recurrent = ["qwen3_next", "qwen3_5_moe"];
            string[] attention = ["qwen3", "qwen3_moe", "qwen3_vl", "qwen3_vl_moe"];
            string[] all = [.. attention, .. recurrent, .. latent, "deepseek_v4"];

            Add(all, "hidden_act", "\"silu\"");
            Add(all, "attention_bias", "false");
            Add([.. all.Except(["qwen3_vl_moe", "deepseek_v4"])], "tie_word_embeddings", "false");
            Add(["qwen3_vl_moe"], "tie_word_embeddings", Demanded);
            Add([.. all.Except(["kimi_k2", "glm_moe_dsa"])], "rms_norm_eps", "1e-6");
            Add(["glm_moe_dsa"], "rms_norm_eps", "1e-5");
            Add([.. all.Except(["qwen3_vl", "qwen3_vl_moe", "kimi_k2"])], "rope_theta", "10000");
            Add(["qwen3_vl", "qwen3_vl_moe", "kimi_k2"], "rope_theta", Demanded);
            Add([.. attention, "qwen3_next"], "use_sliding_window", "false");
            foreach (var name in (string[])["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"]) Add(all, name, Demanded);
            Add([.. attention, .. recurrent], "num_key_value_heads", Demanded);
            Add([.. attention, .. latent], "intermediate_size", Demanded);

            Add(["qwen3", "qwen3_vl"], "head_dim", "128");
            Add(["qwen3_moe", "qwen3_vl_moe"], "head_dim", "24");            // hidden 96 / 4 heads
            Add(recurrent, "head_dim", "256");
            Add(["qwen3_moe"], "norm_topk_prob", "false");
            Add(["qwen3_vl_moe", .. recurrent, .. latent, "deepseek_v4"], "norm_topk_prob", "true");
            Add(["qwen3_moe", "qwen3_vl_moe", .. recurrent], "decoder_sparse_step", "1");
            Add(["qwen3_moe", "qwen3_vl_moe", .. recurrent], "mlp_only_layers", "[]");
            Add(recurrent, "full_attention_interval", "4");
            Add(recurrent, "partial_rotary_factor", "0.25");
            Add(recurrent, "shared_expert_intermediate_size", "512");
            Add(recurrent, "attn_output_gate", "true");

            Add(["deepseek_v3", "deepseek_v32"], "n_group", "8");
            Add(["deepseek_v3", "deepseek_v32"], "topk_group", "4");
            Add(["deepseek_v3", "deepseek_v32"], "q_lora_rank", "1536");
            Add(["glm_moe_dsa"], "n_group", "1");
            Add(["glm_moe_dsa"], "topk_group", "1");
            Add(["glm_moe_dsa"], "q_lora_rank", "2048");
            Add(["deepseek_v3", "deepseek_v32", "glm_moe_dsa"], "routed_scaling_factor", "2.5");
            Add(["deepseek_v3", "deepseek_v32", "glm_moe_dsa"], "n_shared_experts", "1");
            Add(["deepseek_v3", "deepseek_v32", "glm_moe_dsa"], "first_k_dense_replace", "3");
            foreach (var name in (string[])["n_group", "topk_group", "q_lora_rank", "routed_scaling_factor", "n_shared_experts", "first_k_dense_replace", "rms_norm_eps"]) Add(["kimi_k2"], name, Demanded);
            Add(["glm_moe_dsa"], "indexer_rope_interleave", Demanded);
            Add(latent, "moe_layer_freq", "1");
            Add(latent, "num_nextn_predict_layers", "0");                    // not theirs: a tensor that nobody asked for is an error here
            Add(latent, "rope_interleave", "true");
            Add(latent, "scoring_func", "\"sigmoid\"");
            Add([.. latent, "deepseek_v4"], "topk_method", "\"noaux_tc\"");

            Add(["deepseek_v4"], "routed_scaling_factor", "1.5");
            Add(["deepseek_v4"], "swiglu_limit", "10");
            Add(["deepseek_v4"], "n_shared_experts", "1");
            Add(["deepseek_v4"], "num_hash_layers", "3");
            Add(["deepseek_v4"], "hc_eps", "1e-6");
            Add(["deepseek_v4"], "scoring_func", "\"sqrtsoftplus\"");
            foreach (var name in (string[])["compress_rope_theta", "hc_mult", "hc_sinkhorn_iters", "sliding_window", "index_topk"]) Add(["deepseek_v4"], name, Demanded);
            return table;

            void Add(string[] families, string name, string json)
            {
                foreach (var family in families) table.Add(family, name, json);
            }
        }
    }

    [Theory, MemberData(nameof(Fields))]
    public void An_absent_field_has_the_default_of_its_family(string family, string field, string json)
    {
        var config = Config(family);
        var text = config["text_config"] as JsonObject ?? config;
        text.Remove(field);
        if (json == Demanded)
        {
            Assert.EndsWith($"{field} is missing", ConfigText.Fails(config), StringComparison.Ordinal);
            return;
        }
        var absent = ConfigText.Of(config);
        text[field] = null;
        if (field is not ("head_dim" or "q_lora_rank" or "n_shared_experts")) Assert.Equal(absent, ConfigText.Of(config));
        text[field] = JsonNode.Parse(json);
        Assert.Equal(absent, ConfigText.Of(config));
    }

    /// <summary>The default is the default, and not what every value means: another one is understood otherwise, or refused.</summary>
    [Theory]
    [InlineData("deepseek_v3", "n_group", "4"), InlineData("deepseek_v3", "topk_group", "2"), InlineData("deepseek_v3", "routed_scaling_factor", "1"), InlineData("glm_moe_dsa", "rms_norm_eps", "1e-6")]
    [InlineData("deepseek_v32", "n_shared_experts", "0"), InlineData("deepseek_v32", "first_k_dense_replace", "0"), InlineData("qwen3_vl", "rope_theta", "500000"), InlineData("deepseek_v4", "swiglu_limit", "7")]
    [InlineData("qwen3_moe", "head_dim", "128"), InlineData("qwen3_next", "shared_expert_intermediate_size", "0"), InlineData("deepseek_v4", "num_hash_layers", "0"), InlineData("glm_moe_dsa", "first_k_dense_replace", "1")]
    public void Another_value_is_another_model(string family, string field, string json)
    {
        var (config, other) = (Config(family), Config(family));
        if (family != "qwen3_vl") config.Remove(field);
        (other["text_config"] as JsonObject ?? other)[field] = JsonNode.Parse(json);
        Assert.NotEqual(ConfigText.Of(config), ConfigText.Of(other));
    }

    [Theory, InlineData("qwen3_vl", 64, "24 20 20", 3), InlineData("qwen3_vl_moe", 64, "24 20 20", 3), InlineData("qwen3_5_moe", 32, "11 11 10", 0)]
    public void Axes_and_deepstack_layers_of_images_have_defaults_too(string family, int pairs, string sections, int deepstack)
    {
        var config = Config(family);
        config["text_config"]!["head_dim"] = family == "qwen3_5_moe" ? 8 * pairs : 2 * pairs;
        config["image_token_id"] = 7;
        config.Remove("vision_config");
        var absent = ConfigText.Of(config);
        Assert.Contains($"Axes = {sections}", absent, StringComparison.Ordinal);
        Assert.Contains($"DeepstackLayers = {deepstack}", absent, StringComparison.Ordinal);
        config["vision_config"] = new JsonObject { ["deepstack_visual_indexes"] = new JsonArray([.. Enumerable.Range(0, deepstack).Select(layer => (JsonNode)layer)]) };
        config["text_config"]!["rope_scaling"] = new JsonObject { ["mrope_section"] = new JsonArray([.. sections.Split(' ').Select(count => (JsonNode)int.Parse(count, System.Globalization.CultureInfo.InvariantCulture))]) };
        Assert.Equal(absent, ConfigText.Of(config));
    }

    [Fact]
    public void Null_means_what_it_means_in_the_family()
    {
        foreach (var family in (string[])["qwen3", "qwen3_vl", "qwen3_vl_moe"])
        {
            var config = Config(family);
            var text = config["text_config"] as JsonObject ?? config;
            text["num_key_value_heads"] = 4;
            var all = ConfigText.Of(config);
            text["num_key_value_heads"] = null;
            Assert.Equal(all, ConfigText.Of(config));                        // as many as there are heads
        }
        var sparse = Config("qwen3_moe");
        sparse["num_key_value_heads"] = null;
        Assert.Equal("config.json: num_key_value_heads is missing", ConfigText.Fails(sparse));
        var dense = Config("qwen3");
        dense["head_dim"] = null;
        Assert.Equal("config.json: head_dim null is not supported by this architecture", ConfigText.Fails(dense));
        var latent = Config("deepseek_v3");
        latent["q_lora_rank"] = null;
        Assert.Contains("QueryRank = ,", ConfigText.Of(latent), StringComparison.Ordinal);
        latent["n_shared_experts"] = 0;
        var none = ConfigText.Of(latent);
        latent["n_shared_experts"] = null;
        Assert.Equal(none, ConfigText.Of(latent));
    }

    [Theory, InlineData("qwen3_moe", "num_experts"), InlineData("qwen3_vl_moe", "num_experts"), InlineData("deepseek_v3", "n_routed_experts"), InlineData("glm_moe_dsa", "n_routed_experts")]
    public void The_number_of_experts_has_another_name_that_may_not_contradict_it(string family, string field)
    {
        var config = Config(family);
        var text = config["text_config"] as JsonObject ?? config;
        var usual = ConfigText.Of(config);
        text["num_local_experts"] = text[field]!.DeepClone();
        Assert.Equal(usual, ConfigText.Of(config));
        text.Remove(field);
        Assert.Equal(usual, ConfigText.Of(config));
        text[field] = 16;
        Assert.EndsWith($"num_local_experts (256) is not {field} (16)", ConfigText.Fails(config), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3_5_moe", "norm_topk_prob", "false", "norm_topk_prob false is not supported by this architecture")]
    [InlineData("qwen3_5_moe", "mlp_only_layers", "[1]", "mlp_only_layers is not supported by this architecture")]
    [InlineData("qwen3_5_moe", "decoder_sparse_step", "2", "decoder_sparse_step is not supported by this architecture")]
    [InlineData("deepseek_v3", "num_key_value_heads", "2", "num_key_value_heads (2) is not num_attention_heads (4): a latent stands for the keys of all heads")]
    [InlineData("deepseek_v3", "partial_rotary_factor", "0.5", "partial_rotary_factor (0.5) is not supported by this architecture")]
    [InlineData("deepseek_v3", "rope_scaling", "{\"type\":\"default\",\"mscale_all_dim\":1}", "mscale_all_dim without a rope_type that scales is not supported: implementations differ on what it means")]
    [InlineData("deepseek_v32", "indexer_rope_interleave", "true", "indexer_rope_interleave true is not supported by this architecture")]
    [InlineData("deepseek_v32", "rope_interleave", "false", "rope_interleave false is not supported by this architecture")]
    [InlineData("glm_moe_dsa", "rope_interleave", "false", "rope_interleave false is not supported by this architecture")]
    [InlineData("deepseek_v4", "layer_types", "[\"sliding_attention\"]", "layer_types is not supported (compress_ratios, num_hash_layers and qk_rope_head_dim are)")]
    [InlineData("deepseek_v4", "rope_scaling", "{\"type\":\"yarn\",\"factor\":4,\"attention_factor\":2}", "rope_scaling has attention_factor, which implementations of this architecture treat differently")]
    [InlineData("qwen3", "layer_types", "[\"full_attention\"]", "layer_types has 1 entries for 8 layers")]
    [InlineData("qwen3_moe", "dual_chunk_attention_config", "{\"chunk_size\":262144}", "dual_chunk_attention_config is not supported")]
    [InlineData("qwen3_vl", "per_layer_config", "{}", "per_layer_config is not supported")]
    [InlineData("qwen3", "partial_rotary_factor", "0.5", "partial_rotary_factor (0.5) is not supported by this architecture")]
    [InlineData("qwen3_next", "rope_scaling", "{\"partial_rotary_factor\":0.5}", "partial_rotary_factor is 0.5 in one place and 0.25 in another")]
    [InlineData("qwen3_vl", "tie_word_embeddings", "false", "tie_word_embeddings false contradicts that of the whole model")]
    public void What_the_references_do_otherwise_or_not_at_all_is_refused(string family, string field, string json, string message)
    {
        var config = Config(family);
        (config["text_config"] as JsonObject ?? config)[field] = JsonNode.Parse(json);
        if (family == "qwen3_vl") config["tie_word_embeddings"] = true;
        Assert.EndsWith(": " + message, ConfigText.Fails(config), StringComparison.Ordinal);
    }

    /// <summary>Shapes of a random model, enlarged so that the defaults of published ones fit.</summary>
    private static JsonObject Config(string family)
    {
        var config = RandomFamilies.Plan(family, new Random(3)).Config;
        var text = config["text_config"] as JsonObject ?? config;
        foreach (var (field, value) in ((string, JsonNode?)[])[("hidden_size", 96), ("num_hidden_layers", 8), ("num_attention_heads", 4), ("num_experts_per_tok", 2), ("rope_scaling", null), ("mlp_only_layers", null),
            ("indexer_types", null), ("index_head_dim", 64), ("full_attention_interval", 4), ("compress_ratios", new JsonArray(0, 4, 128, 4, 0, 4, 128, 4)), ("o_groups", 2), ("decoder_sparse_step", 1)])
            if (text.ContainsKey(field)) text[field] = value;
        foreach (var experts in (string[])["num_experts", "n_routed_experts"])
            if (text.ContainsKey(experts)) text[experts] = 256;
        if (family is "deepseek_v3" or "kimi_k2" or "deepseek_v32" or "glm_moe_dsa") (text["n_group"], text["topk_group"], text["num_key_value_heads"], text["q_lora_rank"]) = (family == "glm_moe_dsa" ? 1 : 8, family == "glm_moe_dsa" ? 1 : 4, 4, 32);
        else if (family != "deepseek_v4") text["num_key_value_heads"] = 2;
        if (text["rope_parameters"] is JsonObject) text.Remove("rope_parameters");
        if (family is "qwen3_next" or "qwen3_5_moe") (text["partial_rotary_factor"], text["rope_theta"], text["head_dim"]) = (0.25, 1_000_000, 64);
        config.Remove("image_token_id");
        config.Remove("tie_word_embeddings");
        text["tie_word_embeddings"] = false;
        return config;
    }
}
