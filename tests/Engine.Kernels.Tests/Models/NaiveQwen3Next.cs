namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>Qwen3-Next and the text side of Qwen3.5-MoE written down once more, as <see cref="NaiveQwen3"/> is: token after token, state by state.</summary>
internal sealed class NaiveQwen3Next : NaiveModel
{
    private readonly string _root;
    private readonly int _hidden, _heads, _kvHeads, _dim, _rotated, _keyHeads, _keyDim, _valueHeads, _valueDim;
    private readonly NaiveYarn _rope;

    public NaiveQwen3Next(string folder) : base(folder)
    {
        var rope = Text["rope_parameters"] ?? Text;
        _root = Config["text_config"] is null ? "model." : "model.language_model.";
        (_hidden, _heads, _kvHeads, _dim) = (Int("hidden_size"), Int("num_attention_heads"), Int("num_key_value_heads"), Int("head_dim"));
        (_keyHeads, _keyDim) = (Int("linear_num_key_heads"), Int("linear_key_head_dim"));
        (_valueHeads, _valueDim) = (Int("linear_num_value_heads"), Int("linear_value_head_dim"));
        _rotated = (int)(_dim * (double)rope["partial_rotary_factor"]!);
        _rope = new(_rotated, (double)rope["rope_theta"]!, scaling: null);
    }

    /// <returns>Logits after the last token.</returns>
    public double[] Logits(IReadOnlyList<int> tokens)
    {
        var x = tokens.Select(token => Row(_root + "embed_tokens.weight", token, _hidden)).ToArray();
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            var prefix = $"{_root}layers.{layer}.";
            var h = x.Select(row => CentredNorm(row, prefix + "input_layernorm.weight")).ToArray();
            var mixed = (layer + 1) % Int("full_attention_interval") == 0 ? Attend(prefix + "self_attn.", h) : Recur(prefix + "linear_attn.", h);
            for (var t = 0; t < x.Length; t++) x[t] = Sum(x[t], mixed[t]);
            for (var t = 0; t < x.Length; t++) x[t] = Sum(x[t], Mixture(prefix + "mlp.", CentredNorm(x[t], prefix + "post_attention_layernorm.weight")));
        }
        return Times("lm_head.weight", CentredNorm(x[^1], _root + "norm.weight"));
    }

    /// <summary>q_proj gives each head's query and behind it its gate.</summary>
    private double[][] Attend(string prefix, double[][] h)
    {
        var q = h.Select(row => Times(prefix + "q_proj.weight", row).Chunk(2 * _dim).ToArray()).ToArray();
        var k = h.Select((row, t) => Times(prefix + "k_proj.weight", row).Chunk(_dim).Select(key => Turned(CentredNorm(key, prefix + "k_norm.weight"), t)).ToArray()).ToArray();
        var v = h.Select(row => Times(prefix + "v_proj.weight", row).Chunk(_dim).ToArray()).ToArray();
        return [.. h.Select((_, t) => Times(prefix + "o_proj.weight", [.. Enumerable.Range(0, _heads).SelectMany(head =>
        {
            var (group, query) = (head * _kvHeads / _heads, Turned(CentredNorm(q[t][head][.._dim], prefix + "q_norm.weight"), t));
            var shares = Softmax([.. Enumerable.Range(0, t + 1).Select(s => Dot(query, k[s][group]) / Math.Sqrt(_dim))]);
            return Enumerable.Range(0, _dim).Select(i => shares.Select((share, s) => share * v[s][group][i]).Sum() * Sigmoid(q[t][head][_dim + i]));
        })]))];
    }

    /// <summary>S ← α S, then S ← S + β (v − S k) kᵀ, and S q is normed and gated.</summary>
    private double[][] Recur(string prefix, double[][] h)
    {
        var (rate, bias, repeat) = (Weights[prefix + "A_log"], Weights[prefix + "dt_bias"], _valueHeads / _keyHeads);
        var parts = h.Select(row => Project(prefix, row)).ToArray();
        var convolved = Convolve(prefix + "conv1d.weight", [.. parts.Select(part => part.Channels)]);
        var states = Enumerable.Range(0, _valueHeads).Select(_ => new double[_valueDim, _keyDim]).ToArray();
        return [.. h.Select((_, t) => Times(prefix + "out_proj.weight", [.. Enumerable.Range(0, _valueHeads).SelectMany(head =>
        {
            var (at, keys) = (head / repeat * _keyDim, _keyHeads * _keyDim);
            double[] q = [.. Unit(convolved[t][at..(at + _keyDim)]).Select(value => value / Math.Sqrt(_keyDim))], k = Unit(convolved[t][(keys + at)..(keys + at + _keyDim)]);
            var decay = Math.Exp(-Math.Exp(rate[head]) * Math.Log(1 + Math.Exp(parts[t].A[head] + bias[head])));
            var (beta, state, output) = (Sigmoid(parts[t].B[head]), states[head], new double[_valueDim]);
            for (var row = 0; row < _valueDim; row++)
            {
                var found = 0.0;
                for (var c = 0; c < _keyDim; c++) found += (state[row, c] *= decay) * k[c];
                var missing = beta * (convolved[t][2 * keys + head * _valueDim + row] - found);
                for (var c = 0; c < _keyDim; c++) output[row] += (state[row, c] += missing * k[c]) * q[c];
            }
            return Gate(parts[t].Z[(head * _valueDim)..((head + 1) * _valueDim)], Norm(output, prefix + "norm.weight"));
        })]))];
    }

    /// <summary>Inputs of the convolution q ‖ k ‖ v, gates and rates; Qwen3-Next stores them key head by key head, one inside the other.</summary>
    private (double[] Channels, double[] Z, double[] B, double[] A) Project(string prefix, double[] row)
    {
        if (!Weights.Names.Contains(prefix + "in_proj_ba.weight"))
            return (Times(prefix + "in_proj_qkv.weight", row), Times(prefix + "in_proj_z.weight", row), Times(prefix + "in_proj_b.weight", row), Times(prefix + "in_proj_a.weight", row));
        var (values, repeat) = (_valueHeads / _keyHeads * _valueDim, _valueHeads / _keyHeads);
        var heads = Times(prefix + "in_proj_qkvz.weight", row).Chunk(2 * _keyDim + 2 * values).ToArray();
        var rates = Times(prefix + "in_proj_ba.weight", row).Chunk(2 * repeat).ToArray();
        return ([.. All(0, _keyDim), .. All(_keyDim, _keyDim), .. All(2 * _keyDim, values)], [.. All(2 * _keyDim + values, values)],
            [.. rates.SelectMany(head => head[..repeat])], [.. rates.SelectMany(head => head[repeat..])]);

        IEnumerable<double> All(int start, int count) => heads.SelectMany(head => head[start..(start + count)]);
    }

    /// <summary>Each channel over its last inputs, then silu.</summary>
    private double[][] Convolve(string name, double[][] inputs)
    {
        var (taps, stored) = (Int("linear_conv_kernel_dim"), Weights[name]);
        return [.. inputs.Select((row, t) => row.Select((_, c) =>
        {
            var sum = Enumerable.Range(0, taps).Where(tap => t + 1 - taps + tap >= 0).Sum(tap => stored[c * taps + tap] * inputs[t + 1 - taps + tap][c]);
            return sum * Sigmoid(sum);
        }).ToArray())];
    }

    private double[] Mixture(string prefix, double[] h)
    {
        var chances = Softmax(Times(prefix + "gate.weight", h));
        var chosen = Enumerable.Range(0, chances.Length).OrderByDescending(expert => chances[expert]).Take(Int("num_experts_per_tok")).ToArray();
        var shared = Sigmoid(Times(prefix + "shared_expert_gate.weight", h)[0]);
        double[] y = [.. Gated(prefix + "shared_expert.", h).Select(value => shared * value)];
        return chosen.Aggregate(y, (sum, expert) => Sum(sum, [.. Expert(prefix + "experts.", expert, h).Select(value => value * chances[expert] / chosen.Sum(other => chances[other]))]));
    }

    /// <summary>One by one, or all in one tensor: [experts, gate ‖ up, hidden] and [experts, hidden, inner].</summary>
    private double[] Expert(string prefix, int expert, double[] h)
    {
        if (!Weights.Names.Contains(prefix + "gate_up_proj")) return Gated($"{prefix}{expert}.", h);
        var both = Of(prefix + "gate_up_proj", h);
        return Of(prefix + "down_proj", Gate(both[..(both.Length / 2)], both[(both.Length / 2)..]));

        double[] Of(string name, double[] row)
        {
            var outputs = Weights.Shape(name)[1];
            return [.. Enumerable.Range(expert * outputs, outputs).Select(o => Dot(Numbers(Weights[name].AsSpan(o * row.Length, row.Length)), row))];
        }
    }

    /// <summary>The leading columns turn in halves.</summary>
    private double[] Turned(double[] head, int place) => [.. _rope.Turn(head[.._rotated], place, neighbours: false), .. head[_rotated..]];

    /// <summary>Weights stored without their one.</summary>
    private double[] CentredNorm(double[] row, string name)
    {
        var scale = 1 / Math.Sqrt(row.Sum(value => value * value) / row.Length + (double)Text["rms_norm_eps"]!);
        return [.. row.Select((value, i) => value * scale * (1 + Weights[name][i]))];
    }

    /// <summary>Of length one.</summary>
    private static double[] Unit(double[] row)
    {
        var scale = 1 / Math.Sqrt(row.Sum(value => value * value) + 1e-6);
        return [.. row.Select(value => value * scale)];
    }
}
