using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>
/// DeepSeek-V4 with windows only and its draft module, by the formulas, in double and one number at a time: no blocks, no cache, whole sequences.
/// Streams are [place][stream][column].
/// </summary>
internal sealed class NaiveDeepSeekV4(string folder)
{
    private readonly StoredTensors _stored = StoredTensors.Read(folder);
    private readonly JsonObject _config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    private double Epsilon => (double)_config["rms_norm_eps"]!;
    private int Hidden => Int("hidden_size");
    private int StreamCount => Int("hc_mult");

    /// <summary>What the last layer leaves, of every token.</summary>
    public double[][][] Streams(int[] tokens)
    {
        double[][][] streams = [.. tokens.Select(token => Enumerable.Range(0, StreamCount).Select(_ => Embedding(token)).ToArray())];
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            Assert.Equal(0, (int)_config["compress_ratios"]![layer]!);
            streams = Layer(streams, $"layers.{layer}.", layer < Int("num_hash_layers") ? tokens : null);
        }
        return streams;
    }

    /// <summary>The module's streams: <paramref name="streams"/> are what it goes on from, of place i, and <paramref name="following"/> has token i + 1.</summary>
    public double[][][] Module(double[][][] streams, int[] following) => Layer(
        [.. streams.Select((place, i) => Join(place, following[i]))], "mtp.0.", tokens: null);

    public double[] Logits(double[][] streams, bool module)
    {
        var prefix = module ? "mtp.0." : "";
        var mix = Mix(streams, prefix + "hc_head_");
        var collapsed = new double[Hidden];
        for (var i = 0; i < StreamCount; i++)
        {
            var weight = Sigmoid(mix[i] * _stored[prefix + "hc_head_scale"][0] + _stored[prefix + "hc_head_base"][i]) + (double)_config["hc_eps"]!;
            for (var c = 0; c < Hidden; c++) collapsed[c] += weight * streams[i][c];
        }
        return Product("head.weight", Norm(collapsed, prefix + "norm.weight"));
    }

    private double[][] Join(double[][] streams, int following)
    {
        var fromEmbedding = Product("mtp.0.e_proj.weight", Norm(Embedding(following), "mtp.0.enorm.weight"));
        return [.. streams.Select(stream => Sum(fromEmbedding, Product("mtp.0.h_proj.weight", Norm(stream, "mtp.0.hnorm.weight"))))];
    }

    private double[][][] Layer(double[][][] streams, string prefix, int[]? tokens)
    {
        streams = Connect(streams, prefix + "hc_attn_", inputs => Attention([.. inputs.Select(h => Norm(h, prefix + "attn_norm.weight"))], prefix + "attn."));
        return Connect(streams, prefix + "hc_ffn_", inputs => [.. inputs.Select((h, place) => Experts(Norm(h, prefix + "ffn_norm.weight"), prefix + "ffn.", tokens?[place]))]);
    }

    /// <summary>Σ pre_i · stream_i goes in; stream_i becomes post_i · out + Σ_j combine_ji · stream_j.</summary>
    private double[][][] Connect(double[][][] streams, string prefix, Func<double[][], double[][]> inner)
    {
        var (n, width, epsilon) = (StreamCount, Hidden, (double)_config["hc_eps"]!);
        var (scale, bias) = (_stored[prefix + "scale"], _stored[prefix + "base"]);
        double[][] mixes = [.. streams.Select(place => Mix(place, prefix))];
        var inputs = new double[streams.Length][];
        for (var place = 0; place < streams.Length; place++)
        {
            inputs[place] = new double[width];
            for (var i = 0; i < n; i++)
            {
                var pre = Sigmoid(mixes[place][i] * scale[0] + bias[i]) + epsilon;
                for (var c = 0; c < width; c++) inputs[place][c] += pre * streams[place][i][c];
            }
        }
        var outputs = inner(inputs);
        var connected = new double[streams.Length][][];
        for (var place = 0; place < streams.Length; place++)
        {
            var combine = Combine([.. Enumerable.Range(2 * n, n * n).Select(i => mixes[place][i] * scale[2] + bias[i])], epsilon);
            connected[place] = new double[n][];
            for (var i = 0; i < n; i++)
            {
                connected[place][i] = new double[width];
                var post = 2 * Sigmoid(mixes[place][n + i] * scale[1] + bias[n + i]);
                for (var c = 0; c < width; c++)
                {
                    connected[place][i][c] = post * outputs[place][c];
                    for (var j = 0; j < n; j++) connected[place][i][c] += combine[j, i] * streams[place][j][c];
                }
            }
        }
        return connected;
    }

    /// <summary>Softmax of each row plus ε, then columns and rows are divided by their sums in turn, columns first and last.</summary>
    private double[,] Combine(double[] logits, double epsilon)
    {
        var n = StreamCount;
        var combine = new double[n, n];
        for (var row = 0; row < n; row++)
        {
            var sum = 0.0;
            for (var c = 0; c < n; c++) sum += Math.Exp(logits[row * n + c]);
            for (var c = 0; c < n; c++) combine[row, c] = Math.Exp(logits[row * n + c]) / sum + epsilon;
        }
        for (var turn = 0; turn < 2 * Int("hc_sinkhorn_iters") - 1; turn++)
        {
            for (var line = 0; line < n; line++)
            {
                var sum = epsilon;
                for (var i = 0; i < n; i++) sum += turn % 2 == 0 ? combine[i, line] : combine[line, i];
                for (var i = 0; i < n; i++)
                    if (turn % 2 == 0) combine[i, line] /= sum;
                    else combine[line, i] /= sum;
            }
        }
        return combine;
    }

    private double[] Mix(double[][] streams, string prefix)
    {
        double[] all = [.. streams.SelectMany(stream => stream)];
        return Product(prefix + "fn", Unit(all));
    }

    private double[][] Attention(double[][] h, string prefix)
    {
        var (heads, dim, rope, groups) = (Int("num_attention_heads"), Int("head_dim"), Int("qk_rope_head_dim"), Int("o_groups"));
        var (window, sinks) = (Int("sliding_window"), _stored[prefix + "attn_sink"]);
        double[][] rows = [.. h.Select((x, place) => Rotate(Norm(Product(prefix + "wkv.weight", x), prefix + "kv_norm.weight"), rope, place))];
        var outputs = new double[h.Length][];
        for (var place = 0; place < h.Length; place++)
        {
            var queries = Product(prefix + "wq_b.weight", Norm(Product(prefix + "wq_a.weight", h[place]), prefix + "q_norm.weight"));
            var attended = new double[heads * dim];
            for (var head = 0; head < heads; head++)
            {
                var query = Rotate(Unit(queries[(head * dim)..((head + 1) * dim)]), rope, place);
                var sum = Math.Exp(sinks[head]);
                var output = new double[dim];
                for (var seen = Math.Max(0, place + 1 - window); seen <= place; seen++)
                {
                    var score = 0.0;
                    for (var d = 0; d < dim; d++) score += query[d] * rows[seen][d];
                    var weight = Math.Exp(score / Math.Sqrt(dim));
                    sum += weight;
                    for (var d = 0; d < dim; d++) output[d] += weight * rows[seen][d];
                }
                for (var d = 0; d < dim; d++) output[d] /= sum;
                Rotate(output, rope, -place).CopyTo(attended, head * dim);
            }
            var (down, width, rank) = (_stored[prefix + "wo_a.weight"], attended.Length / groups, Int("o_lora_rank"));
            var low = new double[groups * rank];
            for (var row = 0; row < low.Length; row++)
                for (var c = 0; c < width; c++) low[row] += down[row * width + c] * attended[row / rank * width + c];
            outputs[place] = Product(prefix + "wo_b.weight", low);
        }
        return outputs;
    }

    /// <summary>Neighbours among the last columns turn by place · θ^(−2i / columns).</summary>
    private double[] Rotate(double[] x, int columns, int place)
    {
        var (turned, theta) = (x.ToArray(), (double)_config["rope_theta"]!);
        for (var i = 0; i < columns; i += 2)
        {
            var angle = place * Math.Pow(theta, -(double)i / columns);
            var (a, b) = (x[x.Length - columns + i], x[x.Length - columns + i + 1]);
            turned[x.Length - columns + i] = a * Math.Cos(angle) - b * Math.Sin(angle);
            turned[x.Length - columns + i + 1] = a * Math.Sin(angle) + b * Math.Cos(angle);
        }
        return turned;
    }

    private double[] Experts(double[] h, string prefix, int? token)
    {
        var chosen = Int("num_experts_per_tok");
        double[] scores = [.. Product(prefix + "gate.weight", h).Select(logit => Math.Sqrt(Math.Log(1 + Math.Exp(logit))))];
        int[] experts = token is { } id
            ? [.. Enumerable.Range(id * chosen, chosen).Select(i => (int)_stored[prefix + "gate.tid2eid"][i])]
            : [.. Enumerable.Range(0, scores.Length).OrderByDescending(e => scores[e] + _stored[prefix + "gate.bias"][e]).Take(chosen)];
        var total = experts.Sum(e => scores[e]);
        var output = Expert(h, prefix + "shared_experts.");
        foreach (var expert in experts)
        {
            var part = Expert(h, $"{prefix}experts.{expert}.");
            for (var c = 0; c < Hidden; c++) output[c] += scores[expert] / total * (double)_config["routed_scaling_factor"]! * part[c];
        }
        return output;
    }

    private double[] Expert(double[] h, string prefix)
    {
        var limit = (double)_config["swiglu_limit"]!;
        var (gate, up) = (Product(prefix + "w1.weight", h), Product(prefix + "w3.weight", h));
        return Product(prefix + "w2.weight", [.. gate.Zip(up, (g, u) => Math.Min(g, limit) * Sigmoid(Math.Min(g, limit)) * Math.Clamp(u, -limit, limit))]);
    }

    private double[] Embedding(int token) => [.. _stored["embed.weight"].AsSpan(token * Hidden, Hidden).ToArray().Select(value => (double)value)];

    private double[] Product(string name, double[] x)
    {
        var weights = _stored[name];
        var y = new double[_stored.Shape(name)[0]];
        for (var row = 0; row < y.Length; row++)
            for (var c = 0; c < x.Length; c++) y[row] += weights[row * x.Length + c] * x[c];
        return y;
    }

    private double[] Norm(double[] x, string name) => [.. Unit(x).Select((value, i) => value * _stored[name][i])];

    private double[] Unit(double[] x)
    {
        var scale = 1 / Math.Sqrt(x.Sum(value => value * value) / x.Length + Epsilon);
        return [.. x.Select(value => value * scale)];
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private int Int(string field) => (int)_config[field]!;
}
