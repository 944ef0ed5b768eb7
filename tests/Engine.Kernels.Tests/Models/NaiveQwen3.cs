using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// Qwen3, Qwen3-MoE and the text sides of Qwen3-VL and Qwen3-VL-MoE written down once more: the whole prompt at once, one number after the
/// other, in double precision, from the published formulas and the stored tensors. It shares nothing with the engine but the files.
/// </summary>
internal sealed class NaiveQwen3 : NaiveModel
{
    private readonly string _root;
    private readonly int _hidden, _heads, _kvHeads, _dim;

    /// <param name="folder">Tensors in float32 or bfloat16; plain rotation.</param>
    public NaiveQwen3(string folder) : base(folder)
    {
        _root = Config["text_config"] is null ? "model." : "model.language_model.";
        (_hidden, _heads, _kvHeads, _dim) = (Int("hidden_size"), Int("num_attention_heads"), Int("num_key_value_heads"), Int("head_dim"));
    }

    /// <returns>Logits after the last token.</returns>
    public double[] Logits(IReadOnlyList<int> tokens, IReadOnlyList<PromptImage> images)
    {
        var places = Places(tokens.Count, images);
        var x = tokens.Select(token => Row(_root + "embed_tokens.weight", token, _hidden)).ToArray();
        ForImages(images, (image, row, token) => x[token] = Numbers(image.Embeddings.Span.Slice(row * _hidden, _hidden)));
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            var prefix = $"{_root}layers.{layer}.";
            var attended = Attend(prefix + "self_attn.", [.. x.Select(row => Norm(row, prefix + "input_layernorm.weight"))], places);
            for (var t = 0; t < x.Length; t++) x[t] = Sum(x[t], attended[t]);
            for (var t = 0; t < x.Length; t++) x[t] = Sum(x[t], FeedForward(layer, prefix + "mlp.", Norm(x[t], prefix + "post_attention_layernorm.weight")));
            var (at, stream) = (layer, x);
            ForImages(images, (image, row, token) =>
            {
                if (at < image.Deepstack.Count) stream[token] = Sum(stream[token], Numbers(image.Deepstack[at].Span.Slice(row * _hidden, _hidden)));
            });
        }
        var tied = (bool?)Text["tie_word_embeddings"] ?? (bool?)Config["tie_word_embeddings"] ?? false;
        return Times(tied ? _root + "embed_tokens.weight" : "lm_head.weight", Norm(x[^1], _root + "norm.weight"));
    }

    /// <summary>softmax(q·k / √d) · v, heads in groups that share keys and values.</summary>
    private double[][] Attend(string prefix, double[][] h, (int T, int Y, int X)[] places)
    {
        var q = h.Select((row, t) => Heads(prefix + "q", row, _heads, places[t])).ToArray();
        var k = h.Select((row, t) => Heads(prefix + "k", row, _kvHeads, places[t])).ToArray();
        var v = h.Select(row => Times(prefix + "v_proj.weight", row)).ToArray();
        return [.. h.Select((_, t) =>
        {
            var joined = new double[_heads * _dim];
            for (var head = 0; head < _heads; head++)
            {
                var group = head * _kvHeads / _heads;
                var weights = Softmax([.. Enumerable.Range(0, t + 1).Select(s => Enumerable.Range(0, _dim).Sum(i => q[t][head][i] * k[s][group][i]) / Math.Sqrt(_dim))]);
                for (var s = 0; s <= t; s++)
                    for (var i = 0; i < _dim; i++) joined[head * _dim + i] += weights[s] * v[s][group * _dim + i];
            }
            return Times(prefix + "o_proj.weight", joined);
        })];
    }

    /// <summary>Projected, normed each, and rotated: columns i and i + d/2 by the angle of pair i.</summary>
    private double[][] Heads(string name, double[] row, int heads, (int T, int Y, int X) place)
    {
        var (all, half) = (Times(name + "_proj.weight", row), _dim / 2);
        return [.. Enumerable.Range(0, heads).Select(head =>
        {
            var (from, to) = (Norm(all[(head * _dim)..((head + 1) * _dim)], name + "_norm.weight"), new double[_dim]);
            for (var i = 0; i < half; i++)
            {
                var (sin, cos) = Math.SinCos(Along(i, place) * Math.Pow(Theta, -2.0 * i / _dim));
                (to[i], to[i + half]) = (from[i] * cos - from[i + half] * sin, from[i + half] * cos + from[i] * sin);
            }
            return to;
        })];
    }

    /// <summary>Of each three pairs the second turns by the row and the third by the column, for as many threes as their sections say; all others by time.</summary>
    private int Along(int pair, (int T, int Y, int X) place)
    {
        if (Rope?["mrope_section"] is not JsonArray sections) return place.T;
        if (pair % 3 == 1 && pair / 3 < (int)sections[1]!) return place.Y;
        return pair % 3 == 2 && pair / 3 < (int)sections[2]! ? place.X : place.T;
    }

    private double[] FeedForward(int layer, string prefix, double[] h)
    {
        var dense = Text["mlp_only_layers"]?.AsArray().Any(index => (int)index! == layer) == true;
        if (Text["num_experts"] is null || dense || (layer + 1) % ((int?)Text["decoder_sparse_step"] ?? 1) != 0)
            return Gated(prefix, h);
        var chances = Softmax(Times(prefix + "gate.weight", h));
        var chosen = Enumerable.Range(0, chances.Length).OrderByDescending(expert => chances[expert]).Take(Int("num_experts_per_tok")).ToArray();
        var sum = (bool?)Text["norm_topk_prob"] ?? true ? chosen.Sum(expert => chances[expert]) : 1;
        return chosen.Aggregate(new double[_hidden], (y, expert) => Sum(y, [.. Expert(prefix + "experts.", expert, h).Select(value => value * chances[expert] / sum)]));
    }

    /// <summary>One by one, or all in one tensor: [experts, hidden, gate ‖ up] and [experts, inner, hidden].</summary>
    private double[] Expert(string prefix, int expert, double[] h)
    {
        if (!Weights.Names.Contains(prefix + "gate_up_proj")) return Gated($"{prefix}{expert}.", h);
        var inner = Int("moe_intermediate_size");
        var both = Through(prefix + "gate_up_proj", expert, h, 2 * inner);
        return Through(prefix + "down_proj", expert, Gate(both[..inner], both[inner..]), _hidden);
    }

    /// <summary>row · W, of the matrix [inputs, outputs] of an expert.</summary>
    private double[] Through(string name, int expert, double[] row, int outputs)
    {
        var (stored, start) = (Weights[name], expert * row.Length * outputs);
        return [.. Enumerable.Range(0, outputs).Select(o => Enumerable.Range(0, row.Length).Sum(i => row[i] * stored[start + i * outputs + o]))];
    }

    /// <summary>Text counts on; an image begins after all before it and is as long as its longest side.</summary>
    private static (int T, int Y, int X)[] Places(int tokens, IReadOnlyList<PromptImage> images)
    {
        var (places, next) = (new List<(int, int, int)>(), 0);
        foreach (var image in images)
        {
            for (; places.Count < image.FirstToken; next++) places.Add((next, next, next));
            for (var t = 0; t < image.Grid.Frames; t++)
                for (var y = 0; y < image.Grid.Rows; y++)
                    for (var x = 0; x < image.Grid.Columns; x++) places.Add((next + t, next + y, next + x));
            next += new[] { image.Grid.Frames, image.Grid.Rows, image.Grid.Columns }.Max();
        }
        for (; places.Count < tokens; next++) places.Add((next, next, next));
        return [.. places];
    }

    private static void ForImages(IReadOnlyList<PromptImage> images, Action<PromptImage, int, int> visit)
    {
        foreach (var image in images)
            for (var row = 0; row < image.Tokens; row++) visit(image, row, image.FirstToken + row);
    }

    private JsonNode? Rope => Text["rope_parameters"] ?? Text["rope_scaling"];

    private double Theta => (double?)Text["rope_parameters"]?["rope_theta"] ?? (double)Text["rope_theta"]!;
}
