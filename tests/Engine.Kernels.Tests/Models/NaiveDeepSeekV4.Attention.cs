namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <content>Attention over a window, and over entries that stand for several tokens each.</content>
internal sealed partial class NaiveDeepSeekV4
{
    /// <summary>The ratio whose entries overlap and are chosen.</summary>
    private const int SparseRatio = 4;

    private double[][] Attention(double[][] h, string prefix, int ratio)
    {
        var (heads, dim, groups, rank, window) = (Int("num_attention_heads"), Int("head_dim"), Int("o_groups"), Int("o_lora_rank"), Int("sliding_window"));
        var (rope, sinks, down) = (Rope(ratio), Weights[prefix + "attn_sink"], Weights[prefix + "wo_a.weight"]);
        double[][] rows = [.. h.Select((x, place) => Turn(Norm(Times(prefix + "wkv.weight", x), prefix + "kv_norm.weight"), rope, place))];
        double[][] latents = [.. h.Select(x => Norm(Times(prefix + "wq_a.weight", x), prefix + "q_norm.weight"))];
        var entries = ratio == 0 ? [] : Entries(prefix + "compressor.", h, ratio, dim, rope);
        var keys = ratio == SparseRatio ? Entries(prefix + "indexer.compressor.", h, ratio, Int("index_head_dim"), rope) : [];
        return [.. h.Select((x, place) =>
        {
            var (first, complete) = (Math.Max(0, place + 1 - window), ratio == 0 ? 0 : (place + 1) / ratio);
            var chosen = ratio == SparseRatio ? Choose(prefix + "indexer.", x, latents[place], keys[..complete], rope, place) : Enumerable.Range(0, complete);
            double[][] seen = [.. rows[first..(place + 1)], .. chosen.Select(entry => entries[entry])];
            var attended = Times(prefix + "wq_b.weight", latents[place]).Chunk(dim).SelectMany((query, head) => Attend(Turn(Unit(query), rope, place), seen, sinks[head], place, rope)).ToArray();
            var (low, width) = (new double[groups * rank], attended.Length / groups);
            for (var row = 0; row < low.Length; row++)
                for (var c = 0; c < width; c++) low[row] += down[row * width + c] * attended[row / rank * width + c];
            return Times(prefix + "wo_b.weight", low);
        })];
    }

    /// <summary>A row is key and value; the sink takes its share of the softmax and gives nothing; the output is turned back.</summary>
    private double[] Attend(double[] query, double[][] seen, double sink, int place, NaiveYarn rope)
    {
        var shares = Softmax([sink, .. seen.Select(row => Dot(query, row) / Math.Sqrt(query.Length))]);
        var output = new double[query.Length];
        foreach (var (row, share) in seen.Zip(shares[1..]))
            for (var c = 0; c < output.Length; c++) output[c] += share * row[c];
        return Turn(output, rope, -place);
    }

    /// <summary>Of the entries the best by Σ over heads of w · max(0, q·k), of equals the first.</summary>
    private IEnumerable<int> Choose(string prefix, double[] x, double[] latent, double[][] keys, NaiveYarn rope, int place)
    {
        var weights = Times(prefix + "weights_proj.weight", x);
        double[][] queries = [.. Times(prefix + "wq_b.weight", latent).Chunk(Int("index_head_dim")).Select(query => Turn(query, rope, place))];
        double[] scores = [.. keys.Select(key => queries.Zip(weights, (query, weight) => weight * Math.Max(0, Dot(query, key))).Sum())];
        return Enumerable.Range(0, keys.Length).OrderByDescending(entry => scores[entry]).Take(Int("index_topk"));
    }

    /// <summary>
    /// Column by column a mean of <paramref name="ratio"/> tokens, weighted by the softmax of their gates and places; normed; turned by the first token's place.
    /// Overlapping entries mix the first half of the columns of the tokens before with the second half of their own.
    /// </summary>
    private double[][] Entries(string prefix, double[][] h, int ratio, int columns, NaiveYarn rope)
    {
        var (width, ape) = (ratio == SparseRatio ? 2 * columns : columns, Weights[prefix + "ape"]);
        double[][] values = [.. h.Select(x => Times(prefix + "wkv.weight", x))];
        double[][] gates = [.. h.Select((x, place) => Times(prefix + "wgate.weight", x).Select((gate, c) => gate + ape[place % ratio * width + c]).ToArray())];
        return [.. Enumerable.Range(0, h.Length / ratio).Select(entry =>
        {
            var mean = Enumerable.Range(0, columns).Select(c =>
            {
                var parts = Enumerable.Range(entry * ratio, ratio).Select(token => (token, c + width - columns));
                if (width > columns && entry > 0) parts = parts.Concat(Enumerable.Range((entry - 1) * ratio, ratio).Select(token => (token, c)));
                var mixed = parts.ToArray();
                return mixed.Zip(Softmax([.. mixed.Select(part => gates[part.token][part.Item2])]), (part, share) => share * values[part.token][part.Item2]).Sum();
            });
            return Turn(Norm([.. mean], prefix + "norm.weight"), rope, entry * ratio);
        })];
    }

    /// <summary>The last columns turn, neighbour with neighbour.</summary>
    private double[] Turn(double[] x, NaiveYarn rope, int place)
    {
        var kept = x.Length - Int("qk_rope_head_dim");
        return [.. x[..kept], .. rope.Turn(x[kept..], place, neighbours: true)];
    }

    /// <summary>Layers with entries have frequencies of their own.</summary>
    private NaiveYarn Rope(int ratio) => ratio == 0
        ? new(Int("qk_rope_head_dim"), (double)Text["rope_theta"]!, scaling: null)
        : new(Int("qk_rope_head_dim"), (double)Text["compress_rope_theta"]!, Text["rope_scaling"], lengthens: false);
}
