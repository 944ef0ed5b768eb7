using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>A model folder of a family with random shapes and weights in a temporary place; the same seed gives the same bytes.</summary>
internal sealed class RandomCheckpoint : IDisposable
{
    private RandomCheckpoint(TensorPlan plan) => (Plan, Folder) = (plan, Directory.CreateTempSubdirectory("nanoaspire-random-").FullName);

    public TensorPlan Plan { get; }
    public string Folder { get; }

    /// <param name="family">A name of <see cref="RandomFamilies"/>.</param>
    /// <param name="seed">Of shapes and weights.</param>
    public static RandomCheckpoint Create(string family, int seed)
    {
        var random = new Random(seed);
        return Write(RandomFamilies.Plan(family, random), random);
    }

    /// <param name="plan">What to write.</param>
    /// <param name="random">Of the weights.</param>
    /// <param name="type">F32 or BF16, of tensors whose plan names none.</param>
    /// <param name="shards">1: a single file.</param>
    public static RandomCheckpoint Write(TensorPlan plan, Random random, string type = "F32", int shards = 1)
    {
        var checkpoint = new RandomCheckpoint(plan);
        File.WriteAllText(checkpoint.PathOf("config.json"), plan.Config.ToJsonString());
        var map = new JsonObject();
        foreach (var (shard, names) in plan.Tensors.Keys.Select((name, i) => (name, i)).GroupBy(tensor => (int)((long)tensor.i * shards / plan.Tensors.Count), tensor => tensor.name).Select(group => (group.Key, group.ToArray())))
        {
            var file = shards == 1 ? "model.safetensors" : $"model-{shard + 1:D5}-of-{shards:D5}.safetensors";
            checkpoint.WriteFile(file, names, random, type);
            foreach (var name in names) map[name] = file;
        }
        if (shards > 1) File.WriteAllText(checkpoint.PathOf("model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return checkpoint;
    }

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void WriteFile(string file, string[] names, Random random, string type)
    {
        var header = new JsonObject();
        var end = 0L;
        foreach (var name in names)
        {
            var tensor = Plan.Tensors[name];
            var start = end;
            end += tensor.Count * TensorType.Bits(tensor.Type ?? type) / 8;
            header[name] = new JsonObject
            {
                ["dtype"] = tensor.Type ?? type, ["shape"] = new JsonArray([.. tensor.Shape.Select(n => (JsonNode)n)]), ["data_offsets"] = new JsonArray(start, end),
            };
        }
        var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        using var stream = File.Create(PathOf(file));
        stream.Write(prefix);
        stream.Write(text);
        foreach (var name in names)
        {
            var tensor = Plan.Tensors[name];
            if (tensor.Limit is { } limit) WriteIndices(stream, tensor, limit, random);
            else WriteNumbers(stream, tensor, random, tensor.Type ?? type);
        }
    }

    private static void WriteNumbers(FileStream stream, PlannedTensor tensor, Random random, string type)
    {
        var chunk = new float[tensor.Count <= 1 << 16 ? tensor.Count : 4099];      // a large tensor repeats itself: it is there for its size
        for (var i = 0; i < chunk.Length; i++) chunk[i] = (float)(tensor.Mean + tensor.Deviation * Normal(random));
        var bytes = Bytes(chunk, type, random);
        for (var left = tensor.Count * TensorType.Bits(type) / 8; left > 0; left -= bytes.Length) stream.Write(bytes.AsSpan(0, (int)Math.Min(left, bytes.Length)));
    }

    private static byte[] Bytes(float[] numbers, string type, Random random) => type switch
    {
        "F32" => MemoryMarshal.AsBytes<float>(numbers).ToArray(),
        "BF16" => MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(numbers, BFloat16.FromSingle)).ToArray(),
        "F8_E4M3" => Array.ConvertAll(numbers, Float8.FromSingle),
        TensorType.Exponents => Array.ConvertAll(numbers, number => (byte)Math.Clamp(127 + MathF.Round(number), 0, 255)),
        _ => Array.ConvertAll(numbers, _ => (byte)random.Next(256)),         // every byte is two 4-bit floats
    };

    private static void WriteIndices(FileStream stream, PlannedTensor tensor, int limit, Random random)
    {
        var all = Enumerable.Range(0, limit).Select(i => (long)i).ToArray();
        for (var row = 0; row < tensor.Shape[0]; row++)
        {
            random.Shuffle(all);
            stream.Write(MemoryMarshal.AsBytes(all.AsSpan(0, tensor.Shape[1])));
        }
    }

    /// <summary>Twelve uniforms, as good as normal here.</summary>
    private static double Normal(Random random)
    {
        var sum = -6.0;
        for (var i = 0; i < 12; i++) sum += random.NextDouble();
        return sum;
    }
}
