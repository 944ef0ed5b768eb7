using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

internal static partial class RandomFamilies
{
    private static TensorPlan DeepSeekV3(Random random) => Latent(random, "DeepseekV3ForCausalLM", "deepseek_v3", sparse: false);

    private static TensorPlan KimiK2(Random random) => Latent(random, "KimiK2ForCausalLM", "kimi_k2", sparse: false);

    private static TensorPlan DeepSeekV32(Random random) => Latent(random, "DeepseekV32ForCausalLM", "deepseek_v32", sparse: true);

    private static TensorPlan Glm5(Random random)
    {
        var plan = Latent(random, "GlmMoeDsaForCausalLM", "glm_moe_dsa", sparse: true, sharedIndexers: true);
        plan.Set(("indexer_rope_interleave", random.Next(2) == 0));
        return plan;
    }

    /// <summary>Latent attention, with an indexer in all or some layers where <paramref name="sparse"/>; experts in groups after the first layers.</summary>
    private static TensorPlan Latent(Random random, string architecture, string modelType, bool sparse, bool sharedIndexers = false)
    {
        var (vocabulary, hidden, layers, heads) = (random.Next(40, 300), random.Next(17, 80), random.Next(1, 5), random.Next(1, 7));
        var (rope, nope, value, latent) = (2 * random.Next(1, 10), random.Next(1, 40), random.Next(1, 40), random.Next(5, 50));
        var rank = sparse || random.Next(2) == 0 ? random.Next(7, 40) : (int?)null;
        var (groups, perGroup, dense) = (random.Pick(1, 1, 2, 3), random.Next(2, 5), random.Next(0, layers + 1));
        var topGroups = random.Next(1, groups + 1);
        var (experts, chosen, size, shared) = (groups * perGroup, random.Next(1, topGroups * perGroup + 1), random.Next(5, 40), random.Next(0, 3));
        var (indexHeads, indexDim, inner) = (random.Next(1, 20), rope + random.Next(0, 20), random.Next(9, 100));
        var plan = Start(architecture, modelType, vocabulary);
        plan.Set(("hidden_size", hidden), ("intermediate_size", inner), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("num_key_value_heads", heads),
            ("q_lora_rank", rank), ("kv_lora_rank", latent), ("qk_nope_head_dim", nope), ("qk_rope_head_dim", rope), ("v_head_dim", value), ("rope_theta", 10_000),
            ("first_k_dense_replace", dense), ("moe_intermediate_size", size), ("n_routed_experts", experts), ("n_shared_experts", shared), ("num_experts_per_tok", chosen),
            ("n_group", groups), ("topk_group", topGroups), ("norm_topk_prob", random.Next(2) == 0), ("routed_scaling_factor", 2.5), ("scoring_func", random.Pick("sigmoid", "sigmoid", "softmax")), ("rope_interleave", random.Next(3) > 0 || sparse));
        if (random.Next(2) == 0)
            plan.Set(("rope_scaling", new JsonObject { ["type"] = "yarn", ["factor"] = 4.0, ["original_max_position_embeddings"] = 64, ["mscale"] = random.Pick(1.0, 0.707), ["mscale_all_dim"] = random.Pick(1.0, 0.5) }));
        if (sparse) plan.Set(("index_n_heads", indexHeads), ("index_head_dim", indexDim), ("index_topk", random.Next(1, 60)));
        var full = Enumerable.Range(0, layers).Select(layer => layer == 0 || !sharedIndexers || random.Next(2) == 0).ToArray();
        if (sharedIndexers) plan.Set(("indexer_types", new JsonArray([.. full.Select(own => (JsonNode)(own ? "full" : "shared"))])));

        plan.Matrix("model.embed_tokens.weight", vocabulary, hidden);
        for (var layer = 0; layer < layers; layer++)
        {
            var (prefix, attention) = ($"model.layers.{layer}.", $"model.layers.{layer}.self_attn.");
            plan.Norm(prefix + "input_layernorm.weight", hidden);
            plan.Norm(prefix + "post_attention_layernorm.weight", hidden);
            if (rank is { } columns)
            {
                plan.Matrix(attention + "q_a_proj.weight", columns, hidden);
                plan.Norm(attention + "q_a_layernorm.weight", columns);
                plan.Matrix(attention + "q_b_proj.weight", heads * (nope + rope), columns);
            }
            else plan.Matrix(attention + "q_proj.weight", heads * (nope + rope), hidden);
            plan.Matrix(attention + "kv_a_proj_with_mqa.weight", latent + rope, hidden);
            plan.Norm(attention + "kv_a_layernorm.weight", latent);
            plan.Matrix(attention + "kv_b_proj.weight", heads * (nope + value), latent);
            plan.Matrix(attention + "o_proj.weight", hidden, heads * value);
            if (sparse && full[layer])
            {
                plan.Matrix(attention + "indexer.wq_b.weight", indexHeads * indexDim, rank!.Value);
                plan.Matrix(attention + "indexer.wk.weight", indexDim, hidden);
                plan.Norm(attention + "indexer.k_norm.weight", indexDim);
                plan.Normal(attention + "indexer.k_norm.bias", deviation: 0.2, indexDim);
                plan.Matrix(attention + "indexer.weights_proj.weight", indexHeads, hidden);
            }
            if (layer < dense) Mlp(plan, prefix + "mlp.", hidden, inner);
            else
            {
                Experts(plan, prefix + "mlp.", hidden, experts, size);
                plan.Normal(prefix + "mlp.gate.e_score_correction_bias", deviation: 0.2, experts);
                if (shared > 0) Mlp(plan, prefix + "mlp.shared_experts.", hidden, shared * size);
            }
        }
        plan.Norm("model.norm.weight", hidden);
        plan.Matrix("lm_head.weight", vocabulary, hidden);
        return plan;
    }
}
