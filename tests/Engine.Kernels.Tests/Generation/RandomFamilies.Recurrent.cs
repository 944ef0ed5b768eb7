using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

internal static partial class RandomFamilies
{
    private static TensorPlan Qwen3Next(Random random) => Recurrent(random, fused: true);

    private static TensorPlan Qwen35Moe(Random random) => Recurrent(random, fused: false);

    /// <summary>Recurrent layers and now and then attention, experts everywhere; the two families differ in names and in what they fuse.</summary>
    private static TensorPlan Recurrent(Random random, bool fused)
    {
        var (vocabulary, hidden, every) = (random.Next(40, 300), random.Next(17, 80), random.Next(2, 4));
        var layers = random.Next(every, every + 3);                         // some attention there must be
        var (kv, group, dim) = (random.Next(1, 3), random.Next(1, 4), random.Pick(16, 24, 32, 40));
        var (keyHeads, repeat, keyDim, valueDim) = (random.Next(1, 4), random.Next(1, 4), random.Next(3, 33), random.Next(3, 33));
        var (conv, experts, size, shared) = (random.Next(2, 6), random.Next(1, 9), random.Next(5, 40), random.Next(5, 40));
        var (chosen, valueHeads, heads) = (random.Next(1, experts + 1), keyHeads * repeat, kv * group);
        var rotated = random.Pick(0.25, 0.5, 1);
        var plan = fused ? Start("Qwen3NextForCausalLM", "qwen3_next", vocabulary) : Start("Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe_text", vocabulary);
        plan.Set(("hidden_size", hidden), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("num_key_value_heads", kv), ("head_dim", dim),
            ("full_attention_interval", every), ("linear_conv_kernel_dim", conv), ("linear_key_head_dim", keyDim), ("linear_num_key_heads", keyHeads),
            ("linear_value_head_dim", valueDim), ("linear_num_value_heads", valueHeads), ("moe_intermediate_size", size), ("num_experts", experts),
            ("num_experts_per_tok", chosen), ("shared_expert_intermediate_size", shared), ("tie_word_embeddings", false), ("intermediate_size", size));
        if (fused) plan.Set(("norm_topk_prob", true), ("rope_theta", 1_000_000), ("partial_rotary_factor", rotated));
        else plan.Set(("attn_output_gate", true), ("rope_parameters", new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 1_000_000, ["partial_rotary_factor"] = rotated, ["mrope_interleaved"] = true, ["mrope_section"] = Sections(random, (int)(dim * rotated) / 2) }));

        var root = fused ? "model." : "model.language_model.";
        var (keys, values) = (keyHeads * keyDim, valueHeads * valueDim);
        plan.Matrix(root + "embed_tokens.weight", vocabulary, hidden);
        for (var layer = 0; layer < layers; layer++)
        {
            var prefix = $"{root}layers.{layer}.";
            plan.CentredNorm(prefix + "input_layernorm.weight", hidden);
            plan.CentredNorm(prefix + "post_attention_layernorm.weight", hidden);
            if ((layer + 1) % every == 0)
            {
                plan.Matrix(prefix + "self_attn.q_proj.weight", 2 * heads * dim, hidden);
                plan.Matrix(prefix + "self_attn.k_proj.weight", kv * dim, hidden);
                plan.Matrix(prefix + "self_attn.v_proj.weight", kv * dim, hidden);
                plan.Matrix(prefix + "self_attn.o_proj.weight", hidden, heads * dim);
                plan.CentredNorm(prefix + "self_attn.q_norm.weight", dim);
                plan.CentredNorm(prefix + "self_attn.k_norm.weight", dim);
            }
            else
            {
                var linear = prefix + "linear_attn.";
                plan.Normal(linear + "A_log", deviation: 0.5, valueHeads);
                plan.Normal(linear + "dt_bias", deviation: 0.5, valueHeads);
                plan.Normal(linear + "conv1d.weight", deviation: 0.5, 2 * keys + values, 1, conv);
                plan.Norm(linear + "norm.weight", valueDim);
                plan.Matrix(linear + "out_proj.weight", hidden, values);
                if (fused)
                {
                    plan.Matrix(linear + "in_proj_qkvz.weight", 2 * keys + 2 * values, hidden);
                    plan.Matrix(linear + "in_proj_ba.weight", 2 * valueHeads, hidden);
                }
                else
                {
                    plan.Matrix(linear + "in_proj_qkv.weight", 2 * keys + values, hidden);
                    plan.Matrix(linear + "in_proj_z.weight", values, hidden);
                    plan.Matrix(linear + "in_proj_a.weight", valueHeads, hidden);
                    plan.Matrix(linear + "in_proj_b.weight", valueHeads, hidden);
                }
            }
            Experts(plan, prefix + "mlp.", hidden, experts, size, stacked: !fused);
            Mlp(plan, prefix + "mlp.shared_expert.", hidden, shared);
            plan.Matrix(prefix + "mlp.shared_expert_gate.weight", 1, hidden);
        }
        plan.CentredNorm(root + "norm.weight", hidden);
        plan.Matrix("lm_head.weight", vocabulary, hidden);
        if (!fused) plan.Nest("Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe", ("image_token_id", vocabulary - 1));
        return plan;
    }
}
