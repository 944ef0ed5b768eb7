namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>
/// DeepSeek-V4 and its draft module written down once more, as <see cref="NaiveQwen3"/> is: no blocks, no cache, whole sequences.
/// Streams are [place][stream][column].
/// </summary>
internal sealed partial class NaiveDeepSeekV4(string folder) : NaiveModel(folder)
{
    private int Hidden => Int("hidden_size");
    private int StreamCount => Int("hc_mult");

    /// <summary>What the last layer leaves, of every token.</summary>
    public double[][][] Streams(int[] tokens)
    {
        double[][][] streams = [.. tokens.Select(token => Enumerable.Range(0, StreamCount).Select(_ => Embedding(token)).ToArray())];
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            streams = Layer(streams, $"layers.{layer}.", (int)Text["compress_ratios"]![layer]!, layer < Int("num_hash_layers") ? tokens : null);
        }
        return streams;
    }

    /// <summary>The module's streams: <paramref name="streams"/> are what it goes on from, of place i, and <paramref name="following"/> has token i + 1.</summary>
    public double[][][] Module(double[][][] streams, int[] following) => Layer(
        [.. streams.Select((place, i) => Join(place, following[i]))], "mtp.0.", ratio: 0, tokens: null);

    public double[] Logits(double[][] streams, bool module)
    {
        var prefix = module ? "mtp.0." : "";
        var mix = Mix(streams, prefix + "hc_head_");
        var collapsed = new double[Hidden];
        for (var i = 0; i < StreamCount; i++)
        {
            var weight = Sigmoid(mix[i] * Weights[prefix + "hc_head_scale"][0] + Weights[prefix + "hc_head_base"][i]) + (double)Text["hc_eps"]!;
            for (var c = 0; c < Hidden; c++) collapsed[c] += weight * streams[i][c];
        }
        return Times("head.weight", Norm(collapsed, prefix + "norm.weight"));
    }

    private double[][] Join(double[][] streams, int following)
    {
        var fromEmbedding = Times("mtp.0.e_proj.weight", Norm(Embedding(following), "mtp.0.enorm.weight"));
        return [.. streams.Select(stream => Sum(fromEmbedding, Times("mtp.0.h_proj.weight", Norm(stream, "mtp.0.hnorm.weight"))))];
    }

    private double[][][] Layer(double[][][] streams, string prefix, int ratio, int[]? tokens)
    {
        streams = Connect(streams, prefix + "hc_attn_", inputs => Attention([.. inputs.Select(h => Norm(h, prefix + "attn_norm.weight"))], prefix + "attn.", ratio));
        return Connect(streams, prefix + "hc_ffn_", inputs => [.. inputs.Select((h, place) => Experts(Norm(h, prefix + "ffn_norm.weight"), prefix + "ffn.", tokens?[place]))]);
    }

    /// <summary>Σ pre_i · stream_i goes in; stream_i becomes post_i · out + Σ_j combine_ji · stream_j.</summary>
    private double[][][] Connect(double[][][] streams, string prefix, Func<double[][], double[][]> inner)
    {
        var (n, width, epsilon) = (StreamCount, Hidden, (double)Text["hc_eps"]!);
        var (scale, bias) = (Weights[prefix + "scale"], Weights[prefix + "base"]);
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
        return Times(prefix + "fn", Unit(all));
    }

    private double[] Experts(double[] h, string prefix, int? token)
    {
        var chosen = Int("num_experts_per_tok");
        double[] scores = [.. Times(prefix + "gate.weight", h).Select(logit => Math.Sqrt(Math.Log(1 + Math.Exp(logit))))];
        int[] experts = token is { } id
            ? [.. Enumerable.Range(id * chosen, chosen).Select(i => (int)Weights[prefix + "gate.tid2eid"][i])]
            : [.. Enumerable.Range(0, scores.Length).OrderByDescending(e => scores[e] + Weights[prefix + "gate.bias"][e]).Take(chosen)];
        var total = experts.Sum(e => scores[e]);
        var output = Expert(h, prefix + "shared_experts.");
        foreach (var expert in experts)
        {
            var part = Expert(h, $"{prefix}experts.{expert}.");
            for (var c = 0; c < Hidden; c++) output[c] += scores[expert] / total * (double)Text["routed_scaling_factor"]! * part[c];
        }
        return output;
    }

    private double[] Expert(double[] h, string prefix)
    {
        var limit = (double)Text["swiglu_limit"]!;
        var (gate, up) = (Times(prefix + "w1.weight", h), Times(prefix + "w3.weight", h));
        return Times(prefix + "w2.weight", [.. gate.Zip(up, (g, u) => Math.Min(g, limit) * Sigmoid(Math.Min(g, limit)) * Math.Clamp(u, -limit, limit))]);
    }

    private double[] Embedding(int token) => Row("embed.weight", token, Hidden);

    private double[] Unit(double[] x)
    {
        var scale = 1 / Math.Sqrt(x.Sum(value => value * value) / x.Length + (double)Text["rms_norm_eps"]!);
        return [.. x.Select(value => value * scale)];
    }
}
