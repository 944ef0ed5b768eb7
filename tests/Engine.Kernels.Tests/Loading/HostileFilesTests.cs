using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>Files that are not what their names say, in places where a parser does not look: one line each, soon.</summary>
public sealed class HostileFilesTests : IDisposable
{
    private readonly TinyCheckpoint _checkpoint = new TinyCheckpoint().Write();

    public void Dispose() => _checkpoint.Dispose();

    [Theory]
    [InlineData("config.json", "silu", "config.json: not valid UTF-8")]
    [InlineData("config.json", "hidden_act", "config.json: not valid UTF-8")]
    [InlineData("config.json", "Qwen3ForCausalLM", "config.json: not valid UTF-8")]
    [InlineData("model.safetensors", "BF16", "model.safetensors: header is not valid UTF-8")]
    [InlineData("model.safetensors", "model.norm.weight", "model.safetensors: header is not valid UTF-8")]
    public void A_byte_that_is_no_text_is_named_by_its_file(string file, string text, string message)
    {
        var bytes = File.ReadAllBytes(_checkpoint.PathOf(file));
        bytes[bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) + 1] = 0xC3;
        File.WriteAllBytes(_checkpoint.PathOf(file), bytes);
        Assert.Equal(message, _checkpoint.Fails());
    }

    [Theory]
    [InlineData("hidden_act\":\"\\ud800\"", "config.json: not text: half of a surrogate pair in the string at byte ")]
    [InlineData("hidden_act\":\"silu\",\"x\\udc00\":1", "config.json: not text: half of a surrogate pair in the string at byte ")]
    public void Half_a_character_is_named_by_its_file(string replacement, string message)
    {
        var text = File.ReadAllText(_checkpoint.PathOf("config.json")).Replace("hidden_act\":\"silu\"", replacement, StringComparison.Ordinal);
        File.WriteAllText(_checkpoint.PathOf("config.json"), text);
        Assert.StartsWith(message, _checkpoint.Fails(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "model.safetensors: header is not text: half of a surrogate pair in the string at byte 1")]
    [InlineData("""{"a":{"dtype":"\udfff","shape":[1],"data_offsets":[0,4]}}""", "model.safetensors: header is not text: half of a surrogate pair in the string at byte 14")]
    public void Half_a_character_in_a_header_is_named_too(string header, string message)
    {
        _checkpoint.WriteRaw("model.safetensors", header, new byte[4]);
        Assert.Equal(message, _checkpoint.Fails());
    }

    [Fact]
    public void Half_a_character_in_an_index_and_in_the_defaults_of_generation_is_named_by_its_file()
    {
        File.WriteAllText(_checkpoint.PathOf("generation_config.json"), """{"\ud800":1}""");
        Assert.StartsWith("generation_config.json: not text", _checkpoint.Fails(), StringComparison.Ordinal);
        File.Delete(_checkpoint.PathOf("generation_config.json"));
        File.Delete(_checkpoint.PathOf("model.safetensors"));
        File.WriteAllText(_checkpoint.PathOf("model.safetensors.index.json"), """{"weight_map":{"a":"\udc00.safetensors"}}""");
        Assert.StartsWith("model.safetensors.index.json: not text", _checkpoint.Fails(), StringComparison.Ordinal);
    }

    /// <summary>Every byte of every file but the numbers of the weights, one at a time.</summary>
    [Theory, InlineData("config.json"), InlineData("generation_config.json"), InlineData("model.safetensors.index.json"), InlineData("a.safetensors"), InlineData("b.safetensors")]
    public void Any_one_byte_may_be_another(string file)
    {
        File.Delete(_checkpoint.PathOf("model.safetensors"));
        _checkpoint.WriteSharded();
        File.WriteAllText(_checkpoint.PathOf("generation_config.json"), """{"eos_token_id":[2,5],"temperature":0.7}""");
        var bytes = File.ReadAllBytes(_checkpoint.PathOf(file));
        var length = file.EndsWith(".json", StringComparison.Ordinal) ? bytes.Length : 8 + (int)BitConverter.ToInt64(bytes);
        var random = new Random(file.Length);
        for (var i = 0; i < length; i++)
        {
            var spoiled = (byte[])bytes.Clone();
            spoiled[i] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(_checkpoint.PathOf(file), spoiled);
            try
            {
                ModelLoader.Load(_checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 1 << 20 }).Dispose();
            }
            catch (ModelLoadException e)
            {
                Assert.False(e.Message.StartsWith(_checkpoint.Folder, StringComparison.Ordinal), $"byte {i}: {e}");
            }
        }
    }

    [Fact]
    public void A_shape_of_a_million_dimensions_is_refused_without_a_walk_over_them_for_each()
    {
        _checkpoint.WriteRaw("model.safetensors", """{"a":{"dtype":"F32","shape":[1""" + string.Concat(Enumerable.Repeat(",1", 1_000_000)) + """],"data_offsets":[0,4]}}""", new byte[4]);
        Assert.Equal("model.safetensors: tensor a needs dtype, shape and data_offsets", _checkpoint.Fails());
    }

    [Fact]
    public void A_list_longer_than_any_is_refused()
    {
        _checkpoint.Config["layer_types"] = new JsonArray([.. Enumerable.Range(0, 70_000).Select(_ => (JsonNode)"full_attention")]);
        _checkpoint.Write();
        Assert.Equal("config.json: layer_types has 70000 entries, more than 65536", _checkpoint.Fails());
    }

    [Fact]
    public void What_a_file_says_is_shown_on_one_short_line()
    {
        _checkpoint.Config["hidden_act"] = "a\nb\u001b[31m" + new string('x', 5000);
        _checkpoint.Write();
        var message = _checkpoint.Fails();
        Assert.StartsWith("config.json: hidden_act 'a b [31mxxx", message, StringComparison.Ordinal);
        Assert.True(message.Length < 1100);
        File.WriteAllText(_checkpoint.PathOf("config.json"), "{\"model_type\":\"qwen3\",\"num_hidden_layers\":1,\"max_position_embeddings\":[\n1,\n2\n]}");
        Assert.Equal("config.json: max_position_embeddings must be a positive integer, not [ 1, 2 ]", _checkpoint.Fails());
    }

    [Fact]
    public void A_token_outside_the_vocabulary_is_named_by_the_file_that_holds_it()
    {
        File.WriteAllText(_checkpoint.PathOf("generation_config.json"), """{"eos_token_id":[2,48]}""");
        Assert.Equal("generation_config.json: eos_token_id 48 is not in the vocabulary of 48", _checkpoint.Fails());
        _checkpoint.Config["eos_token_id"] = 9_000_000_000;
        _checkpoint.Write();
        Assert.Equal("config.json: eos_token_id 9000000000 is not in the vocabulary of 48", _checkpoint.Fails());
    }

    [Fact]
    public void Heads_whose_product_would_wrap_are_refused()
    {
        _checkpoint.Config["num_attention_heads"] = 268435458;               // times 16 columns, in 32 bits, as many as 2
        _checkpoint.Write();
        Assert.Equal("config.json: num_attention_heads (268435458) is more than 16384", _checkpoint.Fails());
    }

    [Fact]
    public void The_longest_context_there_can_be_needs_no_more_memory_than_there_is()
    {
        _checkpoint.Config["max_position_embeddings"] = 1 << 30;
        _checkpoint.Write();
        using var runner = ModelLoader.Load(_checkpoint.Folder, new() { Threads = 1, KvMemoryBytes = 1 << 20 });
        Assert.InRange(runner.KvMemory.Length, 1, 1 << 20);
        _checkpoint.Config["max_position_embeddings"] = int.MaxValue;
        _checkpoint.Write();
        Assert.Equal("config.json: max_position_embeddings (2147483647) is more than 1073741824", _checkpoint.Fails());
    }

    [Theory, InlineData("auto"), InlineData("f32")]
    public void A_block_of_weights_may_be_larger_than_any_matrix(string dtype)
    {
        const int Block = 1 << 30;
        using GoldenCheckpoint scaled = new("qwen3-dense-untied"), plain = new("qwen3-dense-untied");
        foreach (var tensor in scaled.Tensors.Where(name => name.EndsWith("_proj.weight", StringComparison.Ordinal)).ToArray())
        {
            scaled.Quantise(tensor, Block, keep: true);
            plain.Quantise(tensor, Block, keep: false);
        }
        scaled.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["weight_block_size"] = new JsonArray(Block, Block) };
        using GreedyDriver actual = new(scaled.Load(new() { Threads = 1, DType = dtype })), expected = new(plain.Load());
        Assert.Equal(expected.Generate([1, 2, 3], 3).Tokens, actual.Generate([1, 2, 3], 3).Tokens);
        scaled.Config["quantization_config"]!["weight_block_size"] = new JsonArray(int.MaxValue, 1);
        Assert.Equal("config.json: quantization_config: weight_block_size holds 2147483647, which is more than 1073741824", scaled.Fails());
    }

    [Theory, InlineData(1, false), InlineData(30, true)]
    public void Layers_that_draft_are_told_by_their_number(int drafts, bool loads)
    {
        var plan = RandomFamilies.Plan("deepseek_v3", new Random(4));
        var layers = plan.Config["num_hidden_layers"]!.GetValue<int>();
        plan.Config["num_nextn_predict_layers"] = drafts;
        plan.Norm($"model.layers.{layers + 29}.enorm.weight", 3);
        using var checkpoint = RandomCheckpoint.Write(plan, new Random(0));
        var options = new ModelLoadOptions { Threads = 1, KvMemoryBytes = 16 << 20 };
        if (loads) ModelLoader.Load(checkpoint.Folder, options).Dispose();
        else Assert.Equal($"model.safetensors: tensor model.layers.{layers + 29}.enorm.weight is not part of this architecture", Assert.Throws<ModelLoadException>(() => ModelLoader.Load(checkpoint.Folder, options)).Message);
    }

    [Fact]
    public void A_table_that_names_an_expert_twice_for_one_token_is_refused()
    {
        var plan = Enumerable.Range(0, 50).Select(seed => RandomFamilies.Plan("deepseek_v4", new Random(seed)))
            .First(plan => plan.Config["num_hash_layers"]!.GetValue<int>() > 0 && plan.Config["num_experts_per_tok"]!.GetValue<int>() > 1);
        using var random = RandomCheckpoint.Write(plan, new Random(0));
        using var checkpoint = new GoldenCheckpoint(random.Folder);
        checkpoint.Load(new() { Threads = 1, KvMemoryBytes = 16 << 20 }).Dispose();
        var bytes = checkpoint.Data("layers.0.ffn.gate.tid2eid");
        var row = plan.Config["num_experts_per_tok"]!.GetValue<int>() * sizeof(long);
        bytes.AsSpan(3 * row, sizeof(long)).CopyTo(bytes.AsSpan(4 * row - sizeof(long)));       // the last of row 3 is the first of it
        Assert.Matches(@"^model\.safetensors: tensor layers\.0\.ffn\.gate\.tid2eid holds \d+ twice in row 3$", checkpoint.Fails());
    }
}
