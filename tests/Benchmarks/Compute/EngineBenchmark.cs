using System.Diagnostics;
using System.Text.Json;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>Prefill of whole prompts, then decode of the batch. Best of three rounds of each; the ceilings are taken before and after, the higher one counts.</summary>
internal static class EngineBenchmark
{
    private const int Rounds = 3;

    public static EngineReport Run(string folder, int promptTokens, int outputTokens, int batch, ModelLoadOptions options)
    {
        var length = promptTokens + outputTokens;
        var blocksPerSequence = (length + options.BlockSize - 1) / options.BlockSize;
        options = options with { MaxModelLength = blocksPerSequence * options.BlockSize, MaxSequences = batch, KvMemoryBytes = 64L << 30, MaxBatchedTokens = Math.Max(2048, batch) };
        using var runner = ModelLoader.Load(folder, options);
        var work = ModelWork.Read(folder, runner);

        double peak = Ceilings.PeakGflops(options.Threads), bandwidth = Ceilings.ReadGigabytesPerSecond(options.Threads);
        var random = new Random(1);
        var tokens = Enumerable.Range(0, length).Select(_ => random.Next(runner.Model.VocabSize)).ToArray();
        var blocks = Enumerable.Range(0, batch).Select(i => Enumerable.Range(i * blocksPerSequence, blocksPerSequence).ToArray()).ToArray();
        var (step, logits) = (new StepBatch(), new float[(long)batch * runner.Model.VocabSize]);
        Prefill();                                                           // warm: code compiled, pages present
        Decode(promptTokens);
        var prefill = Best(Prefill);
        var decode = Best(() => { for (var i = 0; i < outputTokens; i++) Decode(promptTokens + i); });
        peak = Math.Max(peak, Ceilings.PeakGflops(options.Threads));
        bandwidth = Math.Max(bandwidth, Ceilings.ReadGigabytesPerSecond(options.Threads));

        var decodeRate = batch * outputTokens / decode;
        var bytesPerToken = work.StreamedBytes(batch) / batch + (long)(work.KvBytesPerToken * (promptTokens + (outputTokens + 1) / 2.0));
        return new()
        {
            PrefillTokensPerSecond = batch * promptTokens / prefill,
            DecodeTokensPerSecond = decodeRate,
            DecodeBytesPerToken = bytesPerToken,
            MemoryBandwidth = bandwidth,
            DecodeBandwidthFraction = decodeRate * bytesPerToken / 1e9 / bandwidth,
            PeakGflops = peak,
            PrefillFlopsFraction = batch * work.PrefillFlops(promptTokens) / prefill / 1e9 / peak,
        };

        void Prefill()
        {
            for (var sequence = 0; sequence < batch; sequence++)
            {
                for (var from = 0; from < promptTokens; from += options.MaxBatchedTokens)
                {
                    step.Clear();
                    Add(sequence, from, Math.Min(options.MaxBatchedTokens, promptTokens - from));
                    runner.Run(step, logits);
                }
            }
        }

        void Decode(int position)
        {
            step.Clear();
            for (var sequence = 0; sequence < batch; sequence++) Add(sequence, position, 1);
            runner.Run(step, logits);
        }

        void Add(int sequence, int from, int count)
        {
            var start = step.Tokens.Count;
            for (var i = from; i < from + count; i++)
            {
                step.Tokens.Add(tokens[i]);
                step.Positions.Add(i);
            }
            step.Sequences.Add(new(start, count, from + count, blocks[sequence], NeedsLogits: from + count >= promptTokens));
        }
    }

    private static double Best(Action round)
    {
        var best = double.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            round();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    /// <summary>What the arithmetic must at least read and multiply, from the configuration.</summary>
    /// <param name="SharedBytes">Weights that every step streams.</param>
    /// <param name="ExpertBytes">All experts.</param>
    /// <param name="Experts">Of a layer; 0 in a dense model.</param>
    /// <param name="ExpertsPerToken">Chosen by each token.</param>
    /// <param name="KvBytesPerToken">Of all layers.</param>
    /// <param name="LayerWeights">That a token is multiplied with.</param>
    /// <param name="HeadWeights">Of the head.</param>
    /// <param name="AttentionFlopsPerPair">Of a query and a key.</param>
    private sealed record ModelWork(long SharedBytes, long ExpertBytes, int Experts, int ExpertsPerToken, long KvBytesPerToken, long LayerWeights, long HeadWeights, long AttentionFlopsPerPair)
    {
        /// <summary>By one decode step: of the experts as many as a batch that chooses at random is expected to touch, exactly the chosen ones for one token.</summary>
        public long StreamedBytes(int batch) => SharedBytes + (Experts == 0 ? 0 : (long)(ExpertBytes * (1 - Math.Pow(1 - (double)ExpertsPerToken / Experts, batch))));

        public static ModelWork Read(string folder, IModelRunner runner)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
            long Field(string name) => json.RootElement.GetProperty(name).GetInt64();
            var (hidden, layers, dim, vocab) = (Field("hidden_size"), Field("num_hidden_layers"), Field("head_dim"), Field("vocab_size"));
            long Optional(string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
            var (heads, kvHeads, experts, chosen) = (Field("num_attention_heads"), Field("num_key_value_heads"), Optional("num_experts"), Optional("num_experts_per_tok"));
            var expert = layers * hidden * 3 * (experts > 0 ? Field("moe_intermediate_size") : Field("intermediate_size"));
            var attention = layers * hidden * (2 * dim * (heads + kvHeads) + experts);
            var tied = json.RootElement.TryGetProperty("tie_word_embeddings", out var flag) && flag.GetBoolean();
            var numbers = attention + expert * Math.Max(1, experts) + vocab * hidden * (tied ? 1 : 2);
            var bytes = (double)runner.Model.WeightBytes / numbers;
            var streamed = runner.Model.WeightBytes - (tied ? 0 : (long)(bytes * vocab * hidden));   // an untied embedding is looked up, not streamed
            var kvBytes = runner.KvMemory.Layout.BlockBytes / runner.KvMemory.Layout.BlockSize;
            var expertBytes = (long)(bytes * expert * experts);
            return new(streamed - expertBytes, expertBytes, (int)experts, (int)chosen, kvBytes, attention + expert * Math.Max(1, chosen), vocab * hidden, layers * heads * dim * 4);
        }

        /// <summary>Two operations a weight and token, the head for the last token only, and causal attention.</summary>
        public double PrefillFlops(int tokens) => 2.0 * LayerWeights * tokens + 2.0 * HeadWeights + AttentionFlopsPerPair * (tokens * (tokens + 1.0) / 2);
    }
}
