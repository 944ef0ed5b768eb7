using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

public sealed class ModelLoaderTests : IDisposable
{
    private const string Gate = "model.layers.0.mlp.gate_proj.weight";
    private readonly TinyCheckpoint _checkpoint = new();

    public void Dispose() => _checkpoint.Dispose();

    [Fact]
    public void A_good_folder_loads_with_what_it_says()
    {
        File.WriteAllText(_checkpoint.PathOf("generation_config.json"), """{"eos_token_id": [7, 2, 5]}""");
        using var driver = GreedyDriver.Load(_checkpoint.Write().Folder);
        var info = driver.Runner.Model;
        Assert.Equal(("Qwen3ForCausalLM", "qwen3", TinyCheckpoint.Vocab, 128), (info.Architecture, info.ModelType, info.VocabSize, info.MaxPositions));
        Assert.Equal([2, 5, 7], info.EosTokenIds);
        Assert.True(driver.Generate([1, 2, 3], 3).Logits.All(row => row.All(float.IsFinite)));
    }

    [Fact]
    public void Shards_and_one_file_are_the_same_model()
    {
        using var single = GreedyDriver.Load(_checkpoint.Write().Folder);
        File.Delete(_checkpoint.PathOf("model.safetensors"));
        _checkpoint.WriteSharded();
        using var sharded = GreedyDriver.Load(_checkpoint.Folder);
        Assert.Equal(single.Runner.KvMemory.Layout, sharded.Runner.KvMemory.Layout);
        Assert.Equal(single.Generate([1, 2, 3], 5).Logits, sharded.Generate([1, 2, 3], 5).Logits);
    }

    [Theory, InlineData("F32"), InlineData("F16"), InlineData("BF16")]
    public void Every_weight_type_computes_the_same_numbers(string type)
    {
        // Values that all three types hold exactly.
        foreach (var (_, (_, values)) in _checkpoint.Tensors)
            for (var i = 0; i < values.Length; i++) values[i] = MathF.Round(values[i] * 16) / 16;
        using var reference = GreedyDriver.Load(_checkpoint.Write().Folder);
        foreach (var name in _checkpoint.Tensors.Keys) _checkpoint.TypeOf[name] = type;
        using var driver = GreedyDriver.Load(_checkpoint.Write().Folder);
        Assert.Equal(reference.Generate([1, 2, 3], 5).Logits, driver.Generate([1, 2, 3], 5).Logits);
        foreach (var dtype in (string[])["f32", "bf16"])
        {
            using var kept = GreedyDriver.Load(_checkpoint.Folder, new() { Threads = 1, DType = dtype });
            Assert.Equal(reference.Generate([1, 2, 3], 5).Logits, kept.Generate([1, 2, 3], 5).Logits);
        }
    }

    [Fact]
    public void Digest_tells_weights_and_layouts_apart()
    {
        var folder = _checkpoint.Write().Folder;
        var options = new ModelLoadOptions { Threads = 1 };
        var digest = Digest(options);
        Assert.Matches("^[0-9a-f]{64}$", digest);
        Assert.Equal(digest, Digest(options with { Threads = 2, MaxSequences = 3, MaxBatchedTokens = 7 }));
        Assert.Equal(digest, Digest(options with { BlockSize = 32 }));        // blocks of other sizes are taken apart on read
        Assert.NotEqual(digest, Digest(options with { KvDType = "bf16" }));
        _checkpoint.Config["rms_norm_eps"] = 1e-5;
        _checkpoint.Write();
        Assert.NotEqual(digest, Digest(options));
        _checkpoint.Config["rms_norm_eps"] = 1e-6;
        _checkpoint.Tensors[Gate].Values[^1] += 1;
        _checkpoint.Write();
        Assert.NotEqual(digest, Digest(options));

        string Digest(ModelLoadOptions with)
        {
            using var runner = ModelLoader.Load(folder, with);
            return runner.KvMemory.Layout.Digest;
        }
    }

    [Fact]
    public void The_pool_is_no_larger_than_asked_for_or_useful()
    {
        var folder = _checkpoint.Write().Folder;
        using (var full = ModelLoader.Load(folder, new() { Threads = 1, MaxSequences = 3, BlockSize = 32 })) Assert.Equal(3 * 4 + 1, full.KvMemory.BlockCount);
        const long BlockBytes = 2 * TinyCheckpoint.KvHeads * TinyCheckpoint.HeadDim * 32 * sizeof(float);
        using (var small = ModelLoader.Load(folder, new() { Threads = 1, BlockSize = 32, KvMemoryBytes = 5 * BlockBytes + 1 })) Assert.Equal((5, BlockBytes), (small.KvMemory.BlockCount, small.KvMemory.Layout.BlockBytes));
        Assert.Contains("does not hold two blocks", Fails(new() { BlockSize = 32, KvMemoryBytes = 2 * BlockBytes - 1 }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_duplicate_of_a_tied_embedding_is_fine_and_a_different_one_is_not()
    {
        var (shape, values) = _checkpoint.Tensors["model.embed_tokens.weight"];
        _checkpoint.Tensors["lm_head.weight"] = (shape, [.. values]);
        _checkpoint.TypeOf["lm_head.weight"] = "BF16";
        using (GreedyDriver.Load(_checkpoint.Write().Folder)) { }
        _checkpoint.Tensors["lm_head.weight"].Values[5] += 1;
        _checkpoint.Write();
        Assert.Equal("model.safetensors: tensor lm_head.weight differs from model.embed_tokens.weight, to which the configuration ties it", Fails());
    }

    [Theory]
    [InlineData("model_type", "\"qwen4\"", "config.json: model_type 'qwen4' is not supported (qwen3, ")]
    [InlineData("architectures", "[\"Qwen9ForCausalLM\"]", "config.json: architectures 'Qwen9ForCausalLM' is not supported (Qwen3ForCausalLM, ")]
    public void An_unknown_family_is_refused_with_the_names_of_those_there_are(string field, string json, string message)
    {
        _checkpoint.Config[field] = JsonNode.Parse(json);
        _checkpoint.Write();
        Assert.StartsWith(message, Fails(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_type", null, "config.json: model_type is missing")]
    [InlineData("hidden_size", null, "config.json: hidden_size is missing")]
    [InlineData("hidden_size", "\"32\"", "config.json: hidden_size must be a positive integer, not \"32\"")]
    [InlineData("num_hidden_layers", "0", "config.json: num_hidden_layers must be a positive integer, not 0")]
    [InlineData("num_attention_heads", "3", "model.safetensors: tensor model.layers.0.self_attn.q_proj.weight has shape [32, 32], expected [48, 32]")]
    [InlineData("num_key_value_heads", "4", "config.json: num_attention_heads (2) is not a multiple of num_key_value_heads (4)")]
    [InlineData("head_dim", "25", "config.json: head_dim (25) is not even")]
    [InlineData("hidden_act", "\"gelu\"", "config.json: hidden_act 'gelu' is not supported (silu is)")]
    [InlineData("attention_bias", "true", "config.json: attention_bias true is not supported")]
    [InlineData("use_sliding_window", "true", "config.json: use_sliding_window true is not supported")]
    [InlineData("layer_types", "[\"sliding_attention\"]", "config.json: layer_types 'sliding_attention' is not supported (full_attention is)")]
    [InlineData("quantization_config", "{\"quant_method\":\"awq\",\"bits\":4}", "config.json: quantization_config: quant_method 'awq' is not supported (fp8 is)")]
    [InlineData("quantization", "{\"bits\":4,\"group_size\":64}", "config.json: quantization is set: of quantised weights those with a quantization_config of quant_method fp8 are supported")]
    [InlineData("compression_config", "{\"quant_method\":\"compressed-tensors\"}", "config.json: compression_config is set: of quantised weights those with a quantization_config of quant_method fp8 are supported")]
    [InlineData("quantization_config", "{\"quant_method\":\"fp8\"}", "config.json: quantization_config: weight_block_size is missing: only weights with block scales are supported")]
    [InlineData("quantization_config", "{\"quant_method\":\"fp8\",\"weight_block_size\":[128,0]}", "config.json: quantization_config: weight_block_size must be two positive integers")]
    [InlineData("quantization_config", "{\"quant_method\":\"fp8\",\"fmt\":\"e5m2\"}", "config.json: quantization_config: fmt 'e5m2' is not supported (e4m3 is)")]
    [InlineData("quantization_config", "{\"quant_method\":\"fp8\",\"activation_scheme\":\"static\"}", "config.json: quantization_config: activation_scheme 'static' is not supported (dynamic is)")]
    [InlineData("rope_scaling", "{\"rope_type\":\"spiral\"}", "config.json: rope_scaling: rope_type 'spiral' is not supported (default, linear, llama3 and yarn are)")]
    [InlineData("rope_scaling", "{\"type\":\"linear\"}", "config.json: rope_scaling: factor is missing")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8}", "config.json: rope_scaling: low_freq_factor is missing")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4,\"original_max_position_embeddings\":64}", "config.json: rope_scaling: high_freq_factor (4) must be more than low_freq_factor (4)")]
    [InlineData("rope_parameters", "{\"rope_type\":\"longrope\"}", "config.json: rope_parameters: rope_type 'longrope' is not supported (default, linear, llama3 and yarn are)")]
    [InlineData("rope_scaling", "{\"type\":\"yarn\",\"factor\":-4}", "config.json: rope_scaling: factor must be a positive number, not -4")]
    [InlineData("eos_token_id", "48", "config.json: eos_token_id 48 is not in the vocabulary of 48")]
    [InlineData("eos_token_id", "[1,\"x\"]", "config.json: eos_token_id must be a token id or a list of them, not [1,\"x\"]")]
    [InlineData("tie_word_embeddings", "false", "tensor lm_head.weight is missing")]
    public void A_configuration_that_is_not_understood_is_refused(string field, string? json, string message)
    {
        if (json is null) _checkpoint.Config.Remove(field);
        else _checkpoint.Config[field] = JsonNode.Parse(json);
        _checkpoint.Write();
        Assert.Equal(message, Fails());
    }

    [Theory]
    [InlineData(float.NaN, "BF16"), InlineData(float.PositiveInfinity, "BF16"), InlineData(float.NegativeInfinity, "F32"), InlineData(float.NaN, "F32"), InlineData(float.NaN, "F16")]
    public void A_weight_that_is_not_a_number_is_named(float value, string type)
    {
        _checkpoint.TypeOf[Gate] = type;
        _checkpoint.Tensors[Gate].Values[1037] = value;
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate} holds NaN or infinity at element 1037", Fails());
    }

    [Fact]
    public void A_norm_that_is_not_a_number_is_named()
    {
        _checkpoint.Tensors["model.norm.weight"].Values[3] = float.NaN;
        _checkpoint.Write();
        Assert.Equal("model.safetensors: tensor model.norm.weight holds NaN or infinity at element 3", Fails());
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        _checkpoint.Tensors.Remove(Gate);
        _checkpoint.Write();
        Assert.Equal($"tensor {Gate} is missing", Fails());
    }

    [Fact]
    public void An_extra_tensor_is_named()
    {
        _checkpoint.Add("model.layers.1.mlp.gate_proj.weight", 4, 4);
        _checkpoint.Write();
        Assert.Equal("model.safetensors: tensor model.layers.1.mlp.gate_proj.weight is not part of this architecture", Fails());
    }

    [Fact]
    public void A_frequency_table_of_an_old_exporter_is_ignored()
    {
        _checkpoint.Add("model.layers.0.self_attn.rotary_emb.inv_freq", 8);
        using (GreedyDriver.Load(_checkpoint.Write().Folder)) { }
    }

    [Fact]
    public void A_misshaped_tensor_is_named()
    {
        _checkpoint.Tensors[Gate] = ([TinyCheckpoint.Hidden, TinyCheckpoint.Intermediate], _checkpoint.Tensors[Gate].Values);
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate} has shape [32, 64], expected [64, 32]", Fails());
    }

    [Theory, InlineData("F64"), InlineData("F8_E5M2"), InlineData("I8")]
    public void A_type_without_kernels_is_named(string type)
    {
        _checkpoint.TypeOf[Gate] = type;
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate} has dtype {type}; F32, F16, BF16 and scaled F8_E4M3 and F4 are supported", Fails());
    }

    [Fact]
    public void Folders_and_files_that_are_not_there_are_named()
    {
        var nowhere = _checkpoint.PathOf("nowhere");
        Assert.Equal($"{nowhere}: no such directory", Assert.Throws<ModelLoadException>(() => ModelLoader.Load(nowhere, new())).Message);
        var file = _checkpoint.PathOf("file");
        File.WriteAllText(file, "");
        Assert.Equal($"{file}: not a directory", Assert.Throws<ModelLoadException>(() => ModelLoader.Load(file, new())).Message);
        Assert.StartsWith("config.json: ", Fails(), StringComparison.Ordinal);
        _checkpoint.Write();
        File.Delete(_checkpoint.PathOf("model.safetensors"));
        Assert.Equal($"{_checkpoint.Folder}: neither model.safetensors nor model.safetensors.index.json is there", Fails());
    }

    [Theory, InlineData("{", "not valid JSON"), InlineData("[]", "not a JSON object"), InlineData("", "not valid JSON")]
    public void A_broken_configuration_is_one_line(string text, string reason)
    {
        _checkpoint.Write();
        File.WriteAllText(_checkpoint.PathOf("config.json"), text);
        var message = Fails();
        Assert.StartsWith($"config.json: {reason}", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Index_and_shards_must_agree()
    {
        var map = _checkpoint.WriteSharded();
        File.Move(_checkpoint.PathOf("b.safetensors"), _checkpoint.PathOf("c.safetensors"));
        Assert.Equal("b.safetensors: missing, though model.safetensors.index.json names it", Fails());

        _checkpoint.WriteSharded();
        map["model.norm.weight"] = "a.safetensors";
        _checkpoint.WriteIndex(map);
        Assert.Equal("a.safetensors: tensor model.norm.weight is missing, though model.safetensors.index.json maps it there", Fails());

        map.Remove("model.norm.weight");
        _checkpoint.WriteIndex(map);
        Assert.Equal("b.safetensors: tensor model.norm.weight is not in model.safetensors.index.json", Fails());

        map["model.norm.weight"] = "../b.safetensors";
        _checkpoint.WriteIndex(map);
        Assert.Equal("model.safetensors.index.json: tensor model.norm.weight is mapped to '../b.safetensors', which is not a file name", Fails());
    }

    [Fact]
    public void Options_are_checked_first()
    {
        _checkpoint.Write();
        Assert.Equal("dtype must be auto, f32 or bf16, not 'int4'", Fails(new() { DType = "int4" }));
        Assert.Equal("kv-dtype must be auto, f32, bf16 or fp8_e4m3, not 'int8'", Fails(new() { KvDType = "int8" }));
        Assert.Equal("kvcache-block-size must be 16, 32, 64, 128 or 256, not 20; threads must be between 1 and 1024", Fails(new() { BlockSize = 20, Threads = 0 }));
        Assert.Equal("max-model-len 129 is more than max_position_embeddings (128)", Fails(new() { MaxModelLength = 129 }));
    }

    private string Fails(ModelLoadOptions? options = null) => _checkpoint.Fails(options);
}
