using NanoAspire.Engine.Loading;
using System.Buffers.Binary;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Kernels.Tests.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>A model folder of a few kilobytes, in a temporary place, to be spoiled in one respect by each test.</summary>
internal sealed class TinyCheckpoint : IDisposable
{
    public const int Vocab = 48, Hidden = 32, Intermediate = 64, Heads = 2, KvHeads = 1, HeadDim = 16;

    public TinyCheckpoint()
    {
        Folder = Directory.CreateTempSubdirectory("nanoaspire-checkpoint-").FullName;
        Config = new()
        {
            ["architectures"] = new JsonArray("Qwen3ForCausalLM"),
            ["model_type"] = "qwen3",
            ["vocab_size"] = Vocab,
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = Intermediate,
            ["num_hidden_layers"] = 1,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KvHeads,
            ["head_dim"] = HeadDim,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 10000,
            ["max_position_embeddings"] = 128,
            ["tie_word_embeddings"] = true,
            ["eos_token_id"] = 2,
        };
        const string Layer = "model.layers.0.";
        Add("model.embed_tokens.weight", Vocab, Hidden);
        Add(Layer + "input_layernorm.weight", Hidden);
        Add(Layer + "post_attention_layernorm.weight", Hidden);
        Add(Layer + "self_attn.q_proj.weight", Heads * HeadDim, Hidden);
        Add(Layer + "self_attn.k_proj.weight", KvHeads * HeadDim, Hidden);
        Add(Layer + "self_attn.v_proj.weight", KvHeads * HeadDim, Hidden);
        Add(Layer + "self_attn.o_proj.weight", Hidden, Heads * HeadDim);
        Add(Layer + "self_attn.q_norm.weight", HeadDim);
        Add(Layer + "self_attn.k_norm.weight", HeadDim);
        Add(Layer + "mlp.gate_proj.weight", Intermediate, Hidden);
        Add(Layer + "mlp.up_proj.weight", Intermediate, Hidden);
        Add(Layer + "mlp.down_proj.weight", Hidden, Intermediate);
        Add("model.norm.weight", Hidden);
    }

    public string Folder { get; }
    public JsonObject Config { get; }
    /// <summary>float32 values; written as <see cref="TypeOf"/> says.</summary>
    public Dictionary<string, (int[] Shape, float[] Values)> Tensors { get; } = [];
    public Dictionary<string, string> TypeOf { get; } = [];

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Add(string name, params int[] shape)
    {
        Tensors[name] = (shape, Numbers.Normal(shape.Aggregate(1, (a, b) => a * b), seed: Tensors.Count, deviation: 0.3));
        TypeOf[name] = "BF16";
    }

    /// <summary>Writes configuration and one weights file.</summary>
    public TinyCheckpoint Write()
    {
        File.WriteAllText(PathOf("config.json"), Config.ToJsonString());
        WriteShard("model.safetensors", Tensors.Keys);
        return this;
    }

    /// <summary>Writes configuration, two shards and their index.</summary>
    public JsonObject WriteSharded()
    {
        File.WriteAllText(PathOf("config.json"), Config.ToJsonString());
        var map = new JsonObject();
        var half = Tensors.Count / 2;
        foreach (var (file, names) in ((string, string[])[])[("a.safetensors", [.. Tensors.Keys.Take(half)]), ("b.safetensors", [.. Tensors.Keys.Skip(half)])])
        {
            WriteShard(file, names);
            foreach (var name in names) map[name] = file;
        }
        WriteIndex(map);
        return map;
    }

    public void WriteIndex(JsonObject weightMap) =>
        File.WriteAllText(PathOf("model.safetensors.index.json"), new JsonObject { ["weight_map"] = weightMap.DeepClone() }.ToJsonString());

    public void WriteShard(string file, IEnumerable<string> names)
    {
        var (header, data) = (new JsonObject(), new MemoryStream());
        foreach (var name in names)
        {
            var start = data.Length;
            var (shape, values) = Tensors[name];
            foreach (var value in values) data.Write(Bytes(value, TypeOf[name]));
            header[name] = new JsonObject { ["dtype"] = TypeOf[name], ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]), ["data_offsets"] = new JsonArray(start, data.Length) };
        }
        WriteRaw(file, header.ToJsonString(), data.ToArray());
    }

    public void WriteRaw(string file, string header, byte[] data, long? declaredHeader = null)
    {
        var text = System.Text.Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, declaredHeader ?? text.Length);
        text.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + text.Length);
        File.WriteAllBytes(PathOf(file), bytes);
    }

    /// <summary>The one line with which loading it fails.</summary>
    public string Fails(ModelLoadOptions? options = null)
    {
        var message = Assert.Throws<ModelLoadException>(() => ModelLoader.Load(Folder, options ?? new() { Threads = 2 })).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static byte[] Bytes(float value, string type) => type switch
    {
        "F32" => BitConverter.GetBytes(value),
        "F16" => BitConverter.GetBytes((Half)value),
        "BF16" => BitConverter.GetBytes(BFloat16.FromSingle(value)),
        "F8_E4M3" => [Float8.FromSingle(value)],
        "F64" => BitConverter.GetBytes((double)value),
        _ => [(byte)value],
    };
}
