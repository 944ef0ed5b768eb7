using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

internal static partial class RandomFamilies
{
    private static TensorPlan DeepSeekV4(Random random) => DeepSeekV4(random, modules: null);

    /// <param name="random">Of the shapes.</param>
    /// <param name="modules">That draft; null: none, one or two.</param>
    /// <param name="fixedRatios">Tokens an entry, layer by layer; null: any number of layers, any ratios.</param>
    /// <param name="fixedHashed">Layers that choose their experts by token id; null: any number.</param>
    /// <param name="shapes">Columns of the stream and of an expert, and how many experts; null: any.</param>
    public static TensorPlan DeepSeekV4(Random random, int? modules, int[]? fixedRatios = null, int? fixedHashed = null, (int Hidden, int Size, int Experts)? shapes = null)
    {
        var (vocabulary, hidden, layers, rank) = (random.Next(40, 300), shapes?.Hidden ?? random.Next(17, 80), random.Next(1, 5), random.Next(7, 40));
        layers = fixedRatios?.Length ?? layers;
        var (groups, perGroup, rope) = (random.Next(1, 4), random.Next(1, 4), 2 * random.Next(1, 6));
        var (heads, dim, lora) = (groups * perGroup, rope + random.Next(0, 40), random.Next(3, 30));
        var (indexHeads, indexDim, streams) = (random.Next(1, 10), rope + random.Next(0, 20), random.Next(1, 6));
        var experts = shapes?.Experts ?? random.Next(1, 9);
        var (chosen, size) = (random.Next(1, experts + 1), shapes?.Size ?? random.Next(5, 40));
        var ratios = fixedRatios ?? [.. Enumerable.Range(0, layers).Select(_ => random.Pick(0, 4, 4, 128, 32, 7, 100))];
        var hashed = fixedHashed ?? random.Next(0, layers + 1);
        var plan = Start("DeepseekV4ForCausalLM", "deepseek_v4", vocabulary);
        plan.Set(("hidden_size", hidden), ("num_hidden_layers", layers), ("num_attention_heads", heads), ("num_key_value_heads", 1), ("head_dim", dim), ("qk_rope_head_dim", rope),
            ("q_lora_rank", rank), ("o_groups", groups), ("o_lora_rank", lora), ("sliding_window", random.Next(1, 70)), ("compress_rope_theta", 160_000), ("rope_theta", 10_000),
            ("index_n_heads", indexHeads), ("index_head_dim", indexDim), ("index_topk", random.Next(1, 30)),
            ("hc_mult", streams), ("hc_sinkhorn_iters", random.Next(1, 21)), ("hc_eps", 1e-6), ("n_routed_experts", experts), ("num_experts_per_tok", chosen), ("n_shared_experts", 1),
            ("moe_intermediate_size", size), ("num_hash_layers", hashed), ("routed_scaling_factor", 1.5), ("scoring_func", "sqrtsoftplus"), ("swiglu_limit", 3.0),
            ("rope_scaling", new JsonObject { ["type"] = "yarn", ["factor"] = 16, ["original_max_position_embeddings"] = 64, ["beta_fast"] = 32, ["beta_slow"] = 1 }));
        var drafting = modules ?? random.Next(0, 3);
        plan.Set(("num_nextn_predict_layers", drafting), ("compress_ratios", List([.. ratios, .. Enumerable.Repeat(0, drafting)])));
        plan.Matrix("embed.weight", vocabulary, hidden);
        for (var layer = 0; layer < layers; layer++) Layer($"layers.{layer}.", ratios[layer], layer < hashed);
        Hyper(plan, "hc_head_", streams, hidden, streams, scales: 1);
        plan.Norm("norm.weight", hidden);
        plan.Matrix("head.weight", vocabulary, hidden);
        for (var module = 0; module < drafting; module++)
        {
            var prefix = $"mtp.{module}.";
            foreach (var norm in (string[])["enorm", "hnorm", "norm"]) plan.Norm($"{prefix}{norm}.weight", hidden);
            foreach (var entrance in (string[])["e_proj", "h_proj"]) plan.Matrix($"{prefix}{entrance}.weight", hidden, hidden);
            Layer(prefix, ratio: 0, hashed: false);
            Hyper(plan, prefix + "hc_head_", streams, hidden, streams, scales: 1);
        }
        return plan;

        void Layer(string prefix, int ratio, bool hashed)
        {
            foreach (var part in (string[])["attn", "ffn"])
            {
                plan.Norm($"{prefix}{part}_norm.weight", hidden);
                Hyper(plan, $"{prefix}hc_{part}_", streams, hidden, (2 + streams) * streams, scales: 3);
            }
            var attention = prefix + "attn.";
            plan.Normal(attention + "attn_sink", deviation: 1, heads);
            plan.Matrix(attention + "wq_a.weight", rank, hidden);
            plan.Norm(attention + "q_norm.weight", rank);
            plan.Matrix(attention + "wq_b.weight", heads * dim, rank);
            plan.Matrix(attention + "wkv.weight", dim, hidden);
            plan.Norm(attention + "kv_norm.weight", dim);
            plan.Matrix(attention + "wo_a.weight", groups * lora, perGroup * dim);
            plan.Matrix(attention + "wo_b.weight", hidden, groups * lora);
            if (ratio != 0) Compressor(plan, attention + "compressor.", hidden, dim, ratio);
            if (ratio == 4)
            {
                Compressor(plan, attention + "indexer.compressor.", hidden, indexDim, 4);
                plan.Matrix(attention + "indexer.wq_b.weight", indexHeads * indexDim, rank);
                plan.Matrix(attention + "indexer.weights_proj.weight", indexHeads, hidden);
            }
            plan.Matrix(prefix + "ffn.gate.weight", experts, hidden);
            if (hashed) plan.Indices(prefix + "ffn.gate.tid2eid", vocabulary, chosen, experts);
            else plan.Normal(prefix + "ffn.gate.bias", deviation: 0.2, experts);
            for (var expert = 0; expert < experts; expert++) Expert(plan, $"{prefix}ffn.experts.{expert}.", hidden, size);
            Expert(plan, prefix + "ffn.shared_experts.", hidden, size);
        }
    }

    private static void Hyper(TensorPlan plan, string prefix, int streams, int hidden, int outputs, int scales)
    {
        plan.Matrix(prefix + "fn", outputs, streams * hidden);
        plan.Normal(prefix + "base", deviation: 0.5, outputs);
        plan.Norm(prefix + "scale", scales);
    }

    private static void Compressor(TensorPlan plan, string prefix, int hidden, int columns, int ratio)
    {
        var width = ratio == 4 ? 2 * columns : columns;
        plan.Normal(prefix + "ape", deviation: 0.5, ratio, width);
        plan.Norm(prefix + "norm.weight", columns);
        plan.Matrix(prefix + "wgate.weight", width, hidden);
        plan.Matrix(prefix + "wkv.weight", width, hidden);
    }

    private static void Expert(TensorPlan plan, string prefix, int hidden, int size)
    {
        plan.Matrix(prefix + "w1.weight", size, hidden);
        plan.Matrix(prefix + "w3.weight", size, hidden);
        plan.Matrix(prefix + "w2.weight", hidden, size);
    }
}
