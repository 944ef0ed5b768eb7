using System.Text.Json.Nodes;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>The module of DeepSeek-V4 over shapes that nobody chose, against its formula in double.</summary>
public sealed class DeepSeekV4ModuleTests
{
    private const int BlockSize = 16, Seeds = 24;
    private const double Tolerance = 5e-4;

    /// <summary>With weights in float32, and in the 4-bit and 8-bit floats of the published ones.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Logits_and_drafts_are_those_of_the_formula(bool published)
    {
        var (compared, drafts) = (0, 0);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var modules = random.Next(1, 3);
            var plan = published ? RandomFamilies.DeepSeekV4Published(random, hidden: 2 * random.Next(9, 40), size: 2 * random.Next(3, 20), experts: random.Next(1, 9), modules)
                : RandomFamilies.DeepSeekV4(random, modules);
            using var checkpoint = RandomCheckpoint.Write(plan, random);
            using var runner = Load(checkpoint);
            var naive = new NaiveDeepSeekV4(published ? PlainForm.Write(checkpoint.Folder) : checkpoint.Folder);
            int[] tokens = [.. Enumerable.Range(0, random.Next(20, 60)).Select(_ => random.Next(runner.Model.VocabSize))];
            int[] blocks = [.. Enumerable.Range(1, 6)];
            random.Shuffle(blocks);

            double[][][] streams = [.. naive.Streams(tokens)[..^1]];          // the token after the last is not known
            var (start, following) = (0, new List<int>(tokens[1..]));
            var module = naive.Module(streams, tokens[1..]);
            while (start < streams.Length)
            {
                var count = Math.Min(random.Next(1, 20), streams.Length - start);
                Compare(seed, start + count - 1, naive.Logits(streams[start + count - 1], module: false), Step(runner, tokens, start, count, blocks));
                Compare(seed, start + count - 1, naive.Logits(module[start + count - 1], module: true), Draft(runner, following.GetRange(start, count), start, blocks, [.. Enumerable.Range(0, count)], again: false));
                start += count;
            }
            for (var draft = 0; draft < 3; draft++)                          // and on from its own streams
            {
                following.Add(random.Next(runner.Model.VocabSize));
                streams = [.. streams, module[^1]];
                module = naive.Module(streams, [.. following]);
                Compare(seed, start, naive.Logits(module[^1], module: true), Draft(runner, [following[^1]], start, blocks, [0], again: true));
                start++;
            }
        }
        Assert.InRange(drafts, compared * 9 / 10, compared);                 // others are too close to call

        void Compare(int seed, int place, double[] expected, float[] actual)
        {
            for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) < Tolerance, $"seed {seed}, place {place}, token {i}: {actual[i]} instead of {expected[i]}");
            compared++;
            var best = expected.Order().TakeLast(2).ToArray();
            if (best[1] - best[0] < 2 * Tolerance) return;
            Assert.Equal(Array.IndexOf(expected, best[1]), GreedyDriver.ArgMax(actual));
            drafts++;
        }
    }

    /// <summary>With whatever layers the model has: the head over the rows that the module gets gives the model's own logits.</summary>
    [Fact]
    public void It_goes_on_from_the_streams_that_the_head_collapses()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.DeepSeekV4(random, modules: 1), random);
            using var runner = Load(checkpoint);
            var naive = new NaiveDeepSeekV4(checkpoint.Folder);
            int[] tokens = [.. Enumerable.Range(0, random.Next(1, 150)).Select(_ => random.Next(runner.Model.VocabSize))];
            var logits = Step(runner, tokens, 0, tokens.Length, [.. Enumerable.Range(1, 10)]);
            var (width, row) = ((int)checkpoint.Plan.Config["hidden_size"]!, ((DraftRunner)runner.Drafts!).Hidden(tokens.Length).RowSpan(tokens.Length - 1).ToArray());
            var expected = naive.Logits([.. row.Chunk(width).Select(stream => stream.Select(value => (double)value).ToArray())], module: false);
            for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - logits[i]) < Tolerance, $"seed {seed}, token {i}: {logits[i]} instead of {expected[i]}");
        }
    }

    /// <summary>However the places are cut into steps and whoever is beside them.</summary>
    [Fact]
    public void Drafts_have_the_same_bits_in_chunks_and_beside_others()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            using var checkpoint = RandomCheckpoint.Write(RandomFamilies.DeepSeekV4(random, modules: 1), random);
            using var runner = Load(checkpoint);
            int[] tokens = [.. Enumerable.Range(0, 50).Select(_ => random.Next(runner.Model.VocabSize))];
            int[] blocks = [1, 2, 3, 4], others = [5, 6, 7, 8];
            Step(runner, tokens, 0, 49, blocks);
            var whole = Draft(runner, tokens[1..], 0, blocks, [.. Enumerable.Range(0, 49)], again: false);
            for (var (start, count) = (0, 0); start < 49; start += count)
            {
                count = Math.Min(random.Next(1, 9), 49 - start);
                var batch = new StepBatch();
                foreach (var ids in (int[][])[others, blocks])
                {
                    batch.Sequences.Add(new(batch.Tokens.Count, count, start + count, ids, NeedsLogits: true));
                    batch.Tokens.AddRange(tokens.AsSpan(start, count));
                    batch.Positions.AddRange(Enumerable.Range(start, count));
                }
                runner.Run(batch, new float[2 * runner.Model.VocabSize]);
                for (var i = 0; i < 2 * count; i++) batch.Tokens[i] = tokens[start + i % count + 1];
                var logits = new float[2 * runner.Model.VocabSize];
                runner.Drafts!.Run(batch, [.. Enumerable.Range(0, 2 * count)], again: false, logits);
                if (start + count < 49) continue;
                Assert.Equal(whole, logits[..runner.Model.VocabSize]);
                Assert.Equal(whole, logits[runner.Model.VocabSize..]);
            }
        }
    }

    [Fact]
    public void Any_tensor_of_the_module_that_is_missing_or_has_another_shape_is_refused_by_name()
    {
        var plan = Plan();
        foreach (var tensor in plan.Tensors.Keys.Where(name => name.StartsWith("mtp.0.", StringComparison.Ordinal)))
        {
            var (missing, wrong) = (Plan(), Plan());
            missing.Remove(tensor);
            Assert.Equal($"tensor {tensor} is missing", Refused(missing));
            wrong.Remove(tensor);
            wrong.Normal(tensor, 1, [.. plan.Tensors[tensor].Shape[..^1], plan.Tensors[tensor].Shape[^1] + 1]);
            Assert.StartsWith($"model.safetensors: tensor {tensor} has shape [", Refused(wrong), StringComparison.Ordinal);
        }

        static TensorPlan Plan() => RandomFamilies.DeepSeekV4(new Random(7), modules: 1, fixedRatios: [0]);
    }

    [Theory, InlineData("mtp.1.e_proj.weight", true), InlineData("mtp.0.e_proj.weight", false)]
    public void What_nobody_asked_for_may_be_missing(string tensor, bool drafts)
    {
        var plan = RandomFamilies.DeepSeekV4(new Random(7), modules: 2);
        plan.Remove(tensor);
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        using var runner = Load(checkpoint, drafts);
        Assert.Equal(drafts, runner.Drafts is not null);
    }

    [Theory]
    [InlineData("num_nextn_predict_layers", "0", "config.json: num_nextn_predict_layers names no draft module that can be used: deepseek_v4 cannot draft by mtp (ngram needs no module)")]
    [InlineData("num_nextn_predict_layers", "-1", "config.json: num_nextn_predict_layers must be an integer that is not negative, not -1")]
    [InlineData("compress_ratios", "[0, 4, 128]", "config.json: compress_ratios has 128 for the layer that drafts: only 0 is supported there")]
    public void Fields_that_name_no_module_are_refused(string field, string json, string message)
    {
        var plan = RandomFamilies.DeepSeekV4(new Random(8), modules: 1, fixedRatios: [0, 4]);
        plan.Config[field] = JsonNode.Parse(json);
        Assert.Equal(message, Refused(plan));
    }

    [Fact]
    public void It_decides_nothing_that_engines_share()
    {
        using var checkpoint = RandomCheckpoint.Write(RandomFamilies.DeepSeekV4(new Random(9), modules: 1), new Random(9));
        using var plain = Load(checkpoint, drafts: false);
        using var drafting = Load(checkpoint);
        Assert.Null(plain.Drafts);
        Assert.True(plain.Model.WeightBytes < drafting.Model.WeightBytes);
        Assert.Equal(plain.KvMemory.Layout, drafting.KvMemory.Layout);
    }

    private static IModelRunner Load(RandomCheckpoint checkpoint, bool drafts = true) =>
        ModelLoader.Load(checkpoint.Folder, new() { Threads = 1, BlockSize = BlockSize, MaxSequences = 2, KvMemoryBytes = 64 << 20, DraftModule = drafts });

    private static string Refused(TensorPlan plan)
    {
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        return Assert.Throws<ModelLoadException>(() => Load(checkpoint)).Message;
    }

    /// <summary>The logits of the last token.</summary>
    private static float[] Step(IModelRunner runner, int[] tokens, int start, int count, int[] blocks)
    {
        var batch = new StepBatch();
        batch.Tokens.AddRange(tokens.AsSpan(start, count));
        batch.Positions.AddRange(Enumerable.Range(start, count));
        batch.Sequences.Add(new(0, count, start + count, blocks, NeedsLogits: true));
        var logits = new float[runner.Model.VocabSize];
        runner.Run(batch, logits);
        return logits;
    }

    /// <summary>The logits of the last row.</summary>
    private static float[] Draft(IModelRunner runner, IReadOnlyList<int> following, int start, int[] blocks, int[] sources, bool again)
    {
        var batch = new StepBatch();
        batch.Tokens.AddRange(following);
        batch.Positions.AddRange(Enumerable.Range(start, following.Count));
        batch.Sequences.Add(new(0, following.Count, start + following.Count, blocks, NeedsLogits: true));
        var logits = new float[runner.Model.VocabSize];
        runner.Drafts!.Run(batch, sources, again, logits);
        return logits;
    }
}
