using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>A copy of a reference checkpoint in a temporary folder, to be spoiled in one respect by each test.</summary>
internal sealed class GoldenCheckpoint : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nanoaspire-golden-").FullName;
    private readonly Dictionary<string, (JsonObject Entry, byte[] Data)> _tensors = new(StringComparer.Ordinal);

    /// <param name="name">Of a reference case, or any folder with one file of tensors.</param>
    public GoldenCheckpoint(string name)
    {
        var source = Path.IsPathRooted(name) ? name : GoldenCase.Folder(name);
        Config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        var bytes = File.ReadAllBytes(Path.Combine(source, "model.safetensors"));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        foreach (var (tensor, entry) in JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject())
        {
            if (tensor == "__metadata__") continue;
            var (from, to) = ((int)entry!["data_offsets"]![0]!.GetValue<long>(), (int)entry["data_offsets"]![1]!.GetValue<long>());
            _tensors.Add(tensor, (entry.DeepClone().AsObject(), bytes[(8 + length + from)..(8 + length + to)]));
        }
    }

    public JsonObject Config { get; }

    public void Remove(string tensor) => Assert.True(_tensors.Remove(tensor));

    public void Rename(string tensor, string name)
    {
        Assert.True(_tensors.Remove(tensor, out var found));
        _tensors.Add(name, found);
    }

    public IEnumerable<string> Tensors => _tensors.Keys;

    /// <summary>As stored; what is changed in it is written.</summary>
    public byte[] Data(string tensor) => _tensors[tensor].Data;

    /// <summary>Replaces a matrix, or several stacked ones, by E4M3 numbers with a factor for every block — or by the float32 numbers that those stand for.</summary>
    public void Quantise(string tensor, int block, bool keep)
    {
        var (entry, data) = _tensors[tensor];
        var shape = entry["shape"]!.AsArray().Select(n => n!.GetValue<int>()).ToArray();
        var (rows, columns, count) = (shape[^2], shape[^1], shape.Length == 3 ? shape[0] : 1);
        var (down, across) = ((rows + block - 1) / block, (columns + block - 1) / block);
        var values = entry["dtype"]!.GetValue<string>() == "F32"
            ? MemoryMarshal.Cast<byte, float>(data).ToArray()
            : Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(data).ToArray(), bits => BitConverter.UInt32BitsToSingle((uint)bits << 16));
        int BlockOf(int i) => (i / (rows * columns) * down + i / columns % rows / block) * across + i % columns / block;
        var scales = new float[count * down * across];
        for (var i = 0; i < values.Length; i++) scales[BlockOf(i)] = MathF.Max(scales[BlockOf(i)], MathF.Abs(values[i]) / 448);
        var bytes = new byte[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            bytes[i] = Float8.FromSingle(values[i] / scales[BlockOf(i)]);
            values[i] = Float8.ToSingle(bytes[i]) * scales[BlockOf(i)];
        }
        _tensors[tensor] = (Entry(keep ? "F8_E4M3" : "F32", shape), keep ? bytes : MemoryMarshal.AsBytes<float>(values).ToArray());
        if (keep) _tensors[tensor + "_scale_inv"] = (Entry("F32", [.. shape[..^2], down, across]), MemoryMarshal.AsBytes<float>(scales).ToArray());

        static JsonObject Entry(string type, int[] shape) => new() { ["dtype"] = type, ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]) };
    }

    /// <summary>Writes the folder and loads it.</summary>
    public IModelRunner Load(ModelLoadOptions? options = null)
    {
        Write();
        return ModelLoader.Load(_folder, options ?? new() { Threads = 1 });
    }

    /// <summary>Why the folder does not load.</summary>
    public string Fails()
    {
        Write();
        return Assert.Throws<ModelLoadException>(() => ModelLoader.Load(_folder, new() { Threads = 1 })).Message;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), Config.ToJsonString());
        var (header, data) = (new JsonObject(), new MemoryStream());
        foreach (var (name, (entry, bytes)) in _tensors)
        {
            var written = entry.DeepClone().AsObject();
            written["data_offsets"] = new JsonArray(data.Length, data.Length + bytes.Length);
            header[name] = written;
            data.Write(bytes);
        }
        using var file = File.Create(Path.Combine(_folder, "model.safetensors"));
        var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        file.Write(prefix);
        file.Write(text);
        file.Write(data.ToArray());
    }
}
