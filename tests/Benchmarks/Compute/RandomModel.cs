using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.Benchmarks.Compute;

/// <summary>A Qwen3 in the shape of a real one, by the field names of config.json.</summary>
internal sealed record Qwen3Shape(int Hidden, int Layers, int Heads, int KvHeads, int HeadDim, int Intermediate, int Vocab, int MaxPositions)
{
    /// <summary>Experts of every layer, each with <see cref="Intermediate"/> inner columns; 0 for a dense model.</summary>
    public int Experts { get; init; }
    public int ExpertsPerToken { get; init; }

    /// <summary>Names and shapes of all tensors, embeddings tied.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [Vocab, Hidden]);
        for (var i = 0; i < Layers; i++)
        {
            var layer = $"model.layers.{i}.";
            yield return (layer + "input_layernorm.weight", [Hidden]);
            if (Experts > 0) yield return (layer + "mlp.gate.weight", [Experts, Hidden]);
            foreach (var mlp in Experts == 0 ? [layer + "mlp."] : Enumerable.Range(0, Experts).Select(expert => $"{layer}mlp.experts.{expert}."))
            {
                yield return (mlp + "down_proj.weight", [Hidden, Intermediate]);
                yield return (mlp + "gate_proj.weight", [Intermediate, Hidden]);
                yield return (mlp + "up_proj.weight", [Intermediate, Hidden]);
            }
            yield return (layer + "post_attention_layernorm.weight", [Hidden]);
            yield return (layer + "self_attn.k_norm.weight", [HeadDim]);
            yield return (layer + "self_attn.k_proj.weight", [KvHeads * HeadDim, Hidden]);
            yield return (layer + "self_attn.o_proj.weight", [Hidden, Heads * HeadDim]);
            yield return (layer + "self_attn.q_norm.weight", [HeadDim]);
            yield return (layer + "self_attn.q_proj.weight", [Heads * HeadDim, Hidden]);
            yield return (layer + "self_attn.v_proj.weight", [KvHeads * HeadDim, Hidden]);
        }
        yield return ("model.norm.weight", [Hidden]);
    }
}

/// <summary>Writes models of random bfloat16 weights: normal with deviation 0.02, norms one. The same seed gives the same bytes.</summary>
internal static class RandomModel
{
    /// <summary>By the name on the command line.</summary>
    public static IReadOnlyDictionary<string, Qwen3Shape> Shapes { get; } = new Dictionary<string, Qwen3Shape>(StringComparer.Ordinal)
    {
        ["qwen3-0.6b"] = new(Hidden: 1024, Layers: 28, Heads: 16, KvHeads: 8, HeadDim: 128, Intermediate: 3072, Vocab: 151936, MaxPositions: 40960),
        // The proportions of a large one (64 experts of which 8 are chosen, nine tenths of the weights in them) in 1.4 GB.
        ["qwen3-moe"] = new(Hidden: 1024, Layers: 12, Heads: 16, KvHeads: 4, HeadDim: 128, Intermediate: 256, Vocab: 32768, MaxPositions: 40960) { Experts = 64, ExpertsPerToken = 8 },
        ["tiny"] = new(Hidden: 256, Layers: 4, Heads: 4, KvHeads: 2, HeadDim: 64, Intermediate: 768, Vocab: 4096, MaxPositions: 4096),
    };

    public static void Write(string folder, Qwen3Shape shape, int seed, long shardBytes)
    {
        Directory.CreateDirectory(folder);
        var shards = Split(shape, shardBytes);
        var weightMap = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var file = shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            WriteShard(Path.Combine(folder, file), shards[i], seed);
            foreach (var (name, _) in shards[i]) weightMap[name] = file;
        }
        if (shards.Count > 1) WriteJson(Path.Combine(folder, "model.safetensors.index.json"), new() { ["metadata"] = new JsonObject(), ["weight_map"] = weightMap });
        // Written last: a folder with a configuration is complete.
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(shape.Experts > 0 ? "Qwen3MoeForCausalLM" : "Qwen3ForCausalLM"),
            ["model_type"] = shape.Experts > 0 ? "qwen3_moe" : "qwen3",
            ["vocab_size"] = shape.Vocab,
            ["hidden_size"] = shape.Hidden,
            ["intermediate_size"] = shape.Intermediate,
            ["num_hidden_layers"] = shape.Layers,
            ["num_attention_heads"] = shape.Heads,
            ["num_key_value_heads"] = shape.KvHeads,
            ["head_dim"] = shape.HeadDim,
            ["hidden_act"] = "silu",
            ["attention_bias"] = false,
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 1000000,
            ["max_position_embeddings"] = shape.MaxPositions,
            ["tie_word_embeddings"] = true,
            ["dtype"] = "bfloat16",
            ["bos_token_id"] = null,
            ["eos_token_id"] = null,
        };
        if (shape.Experts > 0)
        {
            (config["num_experts"], config["num_experts_per_tok"]) = (shape.Experts, shape.ExpertsPerToken);
            (config["moe_intermediate_size"], config["norm_topk_prob"]) = (shape.Intermediate, true);
        }
        WriteJson(Path.Combine(folder, "config.json"), config);
    }

    private static List<List<(string Name, int[] Shape)>> Split(Qwen3Shape shape, long shardBytes)
    {
        var (shards, used) = (new List<List<(string, int[])>> { new() }, 0L);
        foreach (var tensor in shape.Tensors())
        {
            var bytes = Bytes(tensor.Shape);
            if (used > 0 && used + bytes > shardBytes)
            {
                shards.Add([]);
                used = 0;
            }
            shards[^1].Add(tensor);
            used += bytes;
        }
        return shards;
    }

    private static void WriteShard(string path, List<(string Name, int[] Shape)> tensors, int seed)
    {
        var (header, offset) = (new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } }, 0L);
        foreach (var (name, shape) in tensors)
        {
            var end = offset + Bytes(shape);
            header[name] = new JsonObject { ["dtype"] = "BF16", ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]), ["data_offsets"] = new JsonArray(offset, end) };
            offset = end;
        }
        var text = JsonSerializer.SerializeToUtf8Bytes(header);
        var padded = (text.Length + 7) / 8 * 8;
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, padded);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        file.Write(prefix);
        file.Write(text);
        for (var i = text.Length; i < padded; i++) file.WriteByte((byte)' ');

        var buffer = new ushort[1 << 16];
        foreach (var (name, shape) in tensors)
        {
            var normal = new NormalSource(seed, name);
            for (var left = Bytes(shape) / 2; left > 0; left -= buffer.Length)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                if (shape.Length == 1) part.Fill(0x3f80);                    // 1.0
                else normal.Fill(part);
                file.Write(MemoryMarshal.AsBytes(part));
            }
        }
    }

    private static long Bytes(int[] shape) => shape.Aggregate(2L, (bytes, n) => bytes * n);

    private static void WriteJson(string path, JsonObject json) => File.WriteAllText(path, json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
}

/// <summary>bfloat16 numbers, nearly normal (a sum of four uniforms), deviation 0.02. xorshift, so that a gigabyte takes a second.</summary>
internal sealed class NormalSource
{
    private ulong _state;

    public NormalSource(int seed, string name)
    {
        _state = 14695981039346656037UL ^ (uint)seed;
        foreach (var c in name) _state = (_state ^ c) * 1099511628211UL;
        _state |= 1;
    }

    public void Fill(Span<ushort> into)
    {
        const float Scale = 0.02f * 1.7320508f / 65536f;                     // the sum of four has deviation 65536 / √3
        for (var i = 0; i < into.Length; i++)
        {
            _state ^= _state << 13;
            _state ^= _state >> 7;
            _state ^= _state << 17;
            var sum = (int)(_state & 0xffff) + (int)(_state >> 16 & 0xffff) + (int)(_state >> 32 & 0xffff) + (int)(_state >> 48) - 131070;
            into[i] = (ushort)(BitConverter.SingleToUInt32Bits(sum * Scale) >> 16);
        }
    }
}
