using System.Text.Json.Nodes;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>
/// Draft modules against their formula. What the model computed for a place is read off a copy of it whose head is the identity; the join is
/// done here in double; and the layer, norm and head run as the only layer of an ordinary model of the family, whose embeddings are the
/// joined rows: an arithmetic that the reference outputs of the family have proven.
/// </summary>
public sealed class DraftModuleTests
{
    private const int BlockSize = 16;
    private const double Tolerance = 2e-4;

    public static TheoryData<string> Models => ["deepseek-v3", "deepseek-v3.2", "glm-5", "qwen3-next", "qwen3.5-moe"];

    [Theory, MemberData(nameof(Models))]
    public void Logits_are_those_of_the_formula(string model)
    {
        using var runner = Load(model);
        using var reference = new Reference(model);
        var random = new Random(2);
        int[] tokens = [.. Enumerable.Range(0, 45).Select(_ => random.Next(runner.Model.VocabSize))];
        reference.Join(tokens);

        var (start, blocks) = (0, Enumerable.Range(1, 6).ToArray());
        foreach (var chunk in (int[])[7, 1, 20, 1, 15])
        {
            Step(runner, tokens, start, chunk, blocks);
            var end = start + chunk;
            reference.Compare(Draft(runner, tokens[(start + 1)..(end + 1)], start, blocks, Enumerable.Range(0, chunk), again: false), place: end - 1);
            start = end;
        }

        // And on from its own output: two further tokens at the places behind.
        var (placed, last) = (44, 3);
        for (var draft = 0; draft < 2; draft++, last = (last + 5) % runner.Model.VocabSize)
        {
            reference.Append(last);
            reference.Compare(Draft(runner, [last], placed, blocks, [0], again: true), placed);
            placed++;
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Without_being_asked_for_it_is_not_there_and_decides_nothing_that_engines_share(string model)
    {
        using var plain = GoldenRunner(model, drafts: false);
        using var drafting = GoldenRunner(model, drafts: true);
        Assert.Null(plain.Drafts);
        Assert.NotNull(drafting.Drafts);
        Assert.True(plain.Model.WeightBytes < drafting.Model.WeightBytes);
        Assert.Equal(plain.KvMemory.Layout, drafting.KvMemory.Layout);
    }

    [Theory]
    [InlineData("kimi-k2", "kimi_k2"), InlineData("qwen3-dense-tied", "qwen3"), InlineData("qwen3-moe", "qwen3_moe"), InlineData("qwen3-vl", "qwen3_vl"), InlineData("deepseek-v4", "deepseek_v4")]
    public void A_model_without_a_module_that_can_be_used_is_refused_by_name(string model, string type)
    {
        var refused = Assert.Throws<ModelLoadException>(() => GoldenRunner(model, drafts: true));
        Assert.Contains($"{type} cannot draft by mtp", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deepseek-v3", "model.layers.4.eh_proj.weight"), InlineData("glm-5", "model.layers.4.self_attn.indexer.wk.weight"), InlineData("deepseek-v3.2", "model.layers.4.shared_head.norm.weight")]
    [InlineData("qwen3-next", "mtp.fc.weight"), InlineData("qwen3.5-moe", "mtp.pre_fc_norm_hidden.weight")]
    public void A_module_with_a_tensor_missing_is_refused_by_name(string model, string tensor)
    {
        using var checkpoint = new Loading.GoldenCheckpoint(model);
        checkpoint.Remove(tensor);
        checkpoint.Load().Dispose();
        var refused = Assert.Throws<ModelLoadException>(() => checkpoint.Load(new() { Threads = 1, DraftModule = true, KvMemoryBytes = 16 << 20 }));
        Assert.Equal($"tensor {tensor} is missing", refused.Message);
    }

    private static IModelRunner GoldenRunner(string model, bool drafts) =>
        ModelLoader.Load(GoldenCase.Folder(model), new() { Threads = 1, BlockSize = BlockSize, KvMemoryBytes = 16 << 20, MaxSequences = 2, DraftModule = drafts });

    private static IModelRunner Load(string model) => GoldenRunner(model, drafts: true);

    private static void Step(IModelRunner runner, int[] tokens, int start, int count, int[] blocks)
    {
        var batch = new StepBatch();
        batch.Tokens.AddRange(tokens.AsSpan(start, count));
        batch.Positions.AddRange(Enumerable.Range(start, count));
        var slot = runner.KvMemory.StateSlots > 0 ? 0 : -1;
        batch.Sequences.Add(new(0, count, start + count, blocks, NeedsLogits: false) { StateSource = slot, StateTarget = slot });
        runner.Run(batch, []);
    }

    /// <summary>The logits of the last row.</summary>
    private static float[] Draft(IModelRunner runner, int[] following, int start, int[] blocks, IEnumerable<int> sources, bool again)
    {
        var batch = new StepBatch();
        batch.Tokens.AddRange(following);
        batch.Positions.AddRange(Enumerable.Range(start, following.Length));
        batch.Sequences.Add(new(0, following.Length, start + following.Length, blocks, NeedsLogits: true));
        var logits = new float[runner.Model.VocabSize];
        runner.Drafts!.Run(batch, [.. sources], again, logits);
        return logits;
    }

    /// <summary>A model of one layer over embeddings that are the joined rows.</summary>
    private sealed class Reference : IDisposable
    {
        private readonly string _model, _prefix;
        private readonly StoredTensors _stored;
        private readonly JsonObject _config;
        private readonly int _hidden, _vocabulary;
        private readonly bool _latent;
        private readonly List<double[]> _joined = [];
        private readonly List<string> _folders = [];

        public Reference(string model)
        {
            _model = model;
            _stored = StoredTensors.Read(GoldenCase.Folder(model));
            _config = JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenCase.Folder(model), "config.json")))!.AsObject();
            var text = Text(_config);
            (_hidden, _vocabulary, _latent) = ((int)text["hidden_size"]!, (int)text["vocab_size"]!, !model.StartsWith("qwen", StringComparison.Ordinal));
            _prefix = model == "qwen3.5-moe" ? "model.language_model." : "model.";
        }

        private string Names => _latent ? $"model.layers.{(int)Text(_config)["num_hidden_layers"]!}." : "mtp.layers.0.";

        public void Join(int[] tokens)
        {
            // The model's final norm of every place, through a head that shows it.
            var folder = Folder(_config, Head(_stored));
            using var driver = Driver(folder);
            for (var place = 0; place < tokens.Length - 1; place++)
            {
                var hidden = driver.Generate(tokens[..(place + 1)], count: 1).Logits[0][.._hidden];
                _joined.Add(Join(tokens[place + 1], hidden));
            }
        }

        /// <summary>One place more, whose hidden row is the module's output for the one before.</summary>
        public void Append(int token)
        {
            using var driver = Driver(Layer(identity: true));
            _joined.Add(Join(token, driver.Generate([.. Enumerable.Range(0, _joined.Count)], count: 1).Logits[0][.._hidden]));
        }

        public void Compare(float[] actual, int place)
        {
            using var driver = Driver(Layer(identity: false));
            var expected = driver.Generate([.. Enumerable.Range(0, place + 1)], count: 1).Logits[0];
            for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) < Tolerance, $"{_model}, place {place}, token {i}: {actual[i]} instead of {expected[i]}");
        }

        public void Dispose()
        {
            foreach (var folder in _folders) Directory.Delete(folder, recursive: true);
        }

        private double[] Join(int token, float[] hidden)
        {
            var (e, g, w) = _latent ? (Names + "enorm.weight", Names + "hnorm.weight", Names + "eh_proj.weight") : ("mtp.pre_fc_norm_embedding.weight", "mtp.pre_fc_norm_hidden.weight", "mtp.fc.weight");
            double[] both = [.. Norm(_stored[_prefix + "embed_tokens.weight"].AsSpan(token * _hidden, _hidden), _stored[e]), .. Norm(hidden, _stored[g])];
            return [.. Enumerable.Range(0, _hidden).Select(row => Enumerable.Range(0, 2 * _hidden).Sum(column => _stored[w][row * 2 * _hidden + column] * both[column]))];
        }

        private double[] Norm(ReadOnlySpan<float> x, float[] weight)
        {
            double squares = 0;
            foreach (var value in x) squares += (double)value * value;
            var scale = 1 / Math.Sqrt(squares / x.Length + (double)Text(_config)["rms_norm_eps"]!);
            var normed = new double[x.Length];
            for (var i = 0; i < x.Length; i++) normed[i] = x[i] * scale * (weight[i] + (_latent ? 0.0 : 1.0));
            return normed;
        }

        private string Layer(bool identity)
        {
            var config = _config.DeepClone().AsObject();
            var text = Text(config);
            text["num_hidden_layers"] = 1;
            text["num_nextn_predict_layers"] = 0;
            text["first_k_dense_replace"] = 0;
            text["full_attention_interval"] = 1;
            text.Remove("layer_types");
            text.Remove("mlp_layer_types");
            text.Remove("indexer_types");
            var tensors = new StoredTensors();
            string[] own = ["enorm.weight", "hnorm.weight", "eh_proj.weight", "shared_head.norm.weight", "shared_head.head.weight", "embed_tokens.weight"];
            foreach (var name in _stored.Names.Where(name => name.StartsWith(Names, StringComparison.Ordinal)))
                if (!own.Contains(name[Names.Length..])) tensors.Set($"{_prefix}layers.0.{name[Names.Length..]}", _stored.Shape(name), _stored[name]);
            tensors.Set(_prefix + "norm.weight", [_hidden], _stored[_latent ? Names + "shared_head.norm.weight" : "mtp.norm.weight"]);
            var embedding = new float[_vocabulary * _hidden];
            for (var row = 0; row < _joined.Count; row++) for (var i = 0; i < _hidden; i++) embedding[row * _hidden + i] = (float)_joined[row][i];
            tensors.Set(_prefix + "embed_tokens.weight", [_vocabulary, _hidden], embedding);
            tensors.Set("lm_head.weight", [_vocabulary, _hidden], _stored["lm_head.weight"]);
            return Folder(config, identity ? Head(tensors) : tensors);
        }

        /// <summary>With an identity for a head: the first logits are what went into it.</summary>
        private StoredTensors Head(StoredTensors tensors)
        {
            Assert.True(_vocabulary >= _hidden);
            var copy = new StoredTensors();
            foreach (var name in tensors.Names) copy.Set(name, tensors.Shape(name), tensors[name]);
            var head = new float[_vocabulary * _hidden];
            for (var i = 0; i < _hidden; i++) head[i * _hidden + i] = 1;
            copy.Set("lm_head.weight", [_vocabulary, _hidden], head);
            return copy;
        }

        private string Folder(JsonObject config, StoredTensors tensors)
        {
            var folder = Directory.CreateTempSubdirectory("nanoaspire-draft-").FullName;
            _folders.Add(folder);
            File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
            tensors.Write(folder);
            return folder;
        }

        private static GreedyDriver Driver(string folder) => GreedyDriver.Load(folder, new() { Threads = 1, BlockSize = BlockSize, MaxSequences = 2, KvMemoryBytes = 16 << 20 });

        private static JsonObject Text(JsonObject config) => config["text_config"] as JsonObject ?? config;
    }
}
