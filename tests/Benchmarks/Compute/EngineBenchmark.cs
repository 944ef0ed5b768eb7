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
        var bytesPerToken = work.StreamedBytes / batch + (long)(work.KvBytesPerToken * (promptTokens + (outputTokens + 1) / 2.0));
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
    private sealed record ModelWork(long StreamedBytes, long KvBytesPerToken, long LayerWeights, long HeadWeights, long AttentionFlopsPerPair)
    {
        public static ModelWork Read(string folder, IModelRunner runner)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
            long Field(string name) => json.RootElement.GetProperty(name).GetInt64();
            var (hidden, layers, dim, vocab) = (Field("hidden_size"), Field("num_hidden_layers"), Field("head_dim"), Field("vocab_size"));
            var (heads, kvHeads, intermediate) = (Field("num_attention_heads"), Field("num_key_value_heads"), Field("intermediate_size"));
            var layerWeights = layers * hidden * (2 * dim * (heads + kvHeads) + 3 * intermediate);
            var tied = json.RootElement.TryGetProperty("tie_word_embeddings", out var flag) && flag.GetBoolean();
            var numbers = layerWeights + vocab * hidden * (tied ? 1 : 2);
            var streamed = runner.Model.WeightBytes - (tied ? 0 : runner.Model.WeightBytes / numbers * vocab * hidden);   // an untied embedding is looked up, not streamed
            var kvBytes = runner.KvMemory.Layout.BlockBytes / runner.KvMemory.Layout.BlockSize;
            return new(streamed, kvBytes, layerWeights, vocab * hidden, layers * heads * dim * 4);
        }

        /// <summary>Two operations a weight and token, the head for the last token only, and causal attention.</summary>
        public double PrefillFlops(int tokens) => 2.0 * LayerWeights * tokens + 2.0 * HeadWeights + AttentionFlopsPerPair * (tokens * (tokens + 1.0) / 2);
    }
}
