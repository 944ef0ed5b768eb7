using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// DeepSeek-V3, Kimi-K2, DeepSeek-V3.2 and GLM-5 written down once more, as <see cref="NaiveQwen3"/> is: keys and values of every head are
/// taken out of the latent (the engine never does that), and every position is scored before the best are chosen.
/// </summary>
internal sealed class NaiveDeepSeek : NaiveModel
{
    private const double LatentEpsilon = 1e-6;
    private readonly int _hidden, _heads, _nope, _turned, _value, _latent;
    private readonly NaiveYarn _rope;

    public NaiveDeepSeek(string folder) : base(folder)
    {
        (_hidden, _heads, _latent) = (Int("hidden_size"), Int("num_attention_heads"), Int("kv_lora_rank"));
        (_nope, _turned, _value) = (Int("qk_nope_head_dim"), Int("qk_rope_head_dim"), Int("v_head_dim"));
        _rope = new(_turned, (double)(Text["rope_theta"] ?? Text["rope_parameters"]!["rope_theta"])!, Text["rope_scaling"]);
    }

    /// <returns>Logits after the last token.</returns>
    public double[] Logits(IReadOnlyList<int> tokens)
    {
        var x = tokens.Select(token => Row("model.embed_tokens.weight", token, _hidden)).ToArray();
        bool[][]? chosen = null;
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var attended = Attend(prefix + "self_attn.", [.. x.Select(row => Norm(row, prefix + "input_layernorm.weight"))], ref chosen);
            for (var t = 0; t < x.Length; t++) x[t] = Sum(x[t], attended[t]);
            for (var t = 0; t < x.Length; t++)
            {
                var h = Norm(x[t], prefix + "post_attention_layernorm.weight");
                x[t] = Sum(x[t], layer < Int("first_k_dense_replace") ? Gated(prefix + "mlp.", h) : Mixture(prefix + "mlp.", h));
            }
        }
        return Times("lm_head.weight", Norm(x[^1], "model.norm.weight"));
    }

    /// <summary>softmax((q·k + rotated q·rotated k) · scale) · v over the positions that the last indexer chose, over all before there is one.</summary>
    private double[][] Attend(string prefix, double[][] h, ref bool[][]? chosen)
    {
        var queryLatents = Text["q_lora_rank"] is null ? h : [.. h.Select(row => Norm(Times(prefix + "q_a_proj.weight", row), prefix + "q_a_layernorm.weight", LatentEpsilon))];
        if (Weights.Names.Contains(prefix + "indexer.wk.weight")) chosen = Choose(prefix + "indexer.", h, queryLatents);
        var neighbours = (bool?)Text["rope_interleave"] ?? true;
        var q = queryLatents.Select((row, t) => Heads(Times(prefix + (Text["q_lora_rank"] is null ? "q_proj.weight" : "q_b_proj.weight"), row), _nope + _turned, _nope, t, neighbours)).ToArray();
        var down = h.Select(row => Times(prefix + "kv_a_proj_with_mqa.weight", row)).ToArray();
        var turned = down.Select((row, t) => _rope.Turn(row[_latent..], t, neighbours)).ToArray();
        var kv = down.Select(row => Times(prefix + "kv_b_proj.weight", Norm(row[.._latent], prefix + "kv_a_layernorm.weight", LatentEpsilon))).ToArray();
        var (choice, perHead) = (chosen, _nope + _value);
        return [.. h.Select((_, t) =>
        {
            var joined = new double[_heads * _value];
            var seen = Enumerable.Range(0, t + 1).Where(s => choice?[t][s] ?? true).ToArray();
            for (var head = 0; head < _heads; head++)
            {
                var (query, start) = (q[t][head], head * perHead);
                var weights = Softmax([.. seen.Select(s => (Dot(query.AsSpan(0, _nope), kv[s].AsSpan(start, _nope)) + Dot(query.AsSpan(_nope), turned[s])) * _rope.ScoreFactor / Math.Sqrt(_nope + _turned))]);
                foreach (var (s, weight) in seen.Zip(weights))
                    for (var i = 0; i < _value; i++) joined[head * _value + i] += weight * kv[s][start + _nope + i];
            }
            return Times(prefix + "o_proj.weight", joined);
        })];
    }

    /// <summary>Σ over heads of w · max(0, q·k); of all positions up to its own a token gets the best <c>index_topk</c>, of equals the first.</summary>
    private bool[][] Choose(string prefix, double[][] h, double[][] queryLatents)
    {
        var (heads, dim, most) = (Int("index_n_heads"), Int("index_head_dim"), Int("index_topk"));
        var neighbours = (bool?)Text["indexer_rope_interleave"] ?? false;
        var q = queryLatents.Select((row, t) => Heads(Times(prefix + "wq_b.weight", row), dim, 0, t, neighbours)).ToArray();
        var k = h.Select((row, t) => Turned(LayerNorm(Times(prefix + "wk.weight", row), prefix + "k_norm"), 0, t, neighbours)).ToArray();
        return [.. h.Select((row, t) =>
        {
            var weights = Times(prefix + "weights_proj.weight", row);
            var scores = Enumerable.Range(0, t + 1).Select(s => Enumerable.Range(0, heads).Sum(head => weights[head] * Math.Max(0, Dot(q[t][head], k[s])))).ToArray();
            var best = Enumerable.Range(0, t + 1).OrderByDescending(s => scores[s]).Take(most).ToHashSet();
            return Enumerable.Range(0, h.Length).Select(best.Contains).ToArray();
        })];
    }

    /// <summary>Experts of the best groups, a group being worth its two best; chosen with the correction bias, weighted without.</summary>
    private double[] Mixture(string prefix, double[] h)
    {
        var logits = Times(prefix + "gate.weight", h);
        var scores = (string?)Text["scoring_func"] == "softmax" ? Softmax(logits) : [.. logits.Select(Sigmoid)];
        var worth = Sum(scores, Numbers(Weights[prefix + "gate.e_score_correction_bias"]));
        var size = scores.Length / Int("n_group");
        var groups = worth.Chunk(size).Select((group, index) => (Worth: group.OrderDescending().Take(2).Sum(), index)).OrderByDescending(group => group.Worth).Take(Int("topk_group"));
        var chosen = groups.SelectMany(group => Enumerable.Range(group.index * size, size)).Order().OrderByDescending(expert => worth[expert]).Take(Int("num_experts_per_tok")).ToArray();
        var sum = (bool)Text["norm_topk_prob"]! ? chosen.Sum(expert => scores[expert]) : 1;
        var y = Int("n_shared_experts") > 0 ? Gated(prefix + "shared_experts.", h) : new double[_hidden];
        foreach (var expert in chosen)
            y = Sum(y, [.. Gated($"{prefix}experts.{expert}.", h).Select(value => value * scores[expert] / sum * (double)Text["routed_scaling_factor"]!)]);
        return y;
    }

    /// <summary>Rows of <paramref name="width"/> columns, those from <paramref name="start"/> on turned.</summary>
    private double[][] Heads(double[] all, int width, int start, int position, bool neighbours) =>
        [.. all.Chunk(width).Select(head => Turned(head, start, position, neighbours))];

    private double[] Turned(double[] head, int start, int position, bool neighbours) =>
        [.. head[..start], .. _rope.Turn(head[start..(start + _turned)], position, neighbours), .. head[(start + _turned)..]];

    private double[] LayerNorm(double[] row, string name)
    {
        var mean = row.Average();
        var scale = 1 / Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + LatentEpsilon);
        return [.. row.Select((value, i) => (value - mean) * scale * Weights[name + ".weight"][i] + Weights[name + ".bias"][i])];
    }
}
