using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>A checkpoint's tensors as float32 numbers, small indices too, to be rearranged into another checkpoint.</summary>
internal sealed class StoredTensors
{
    private readonly Dictionary<string, (int[] Shape, float[] Values)> _tensors = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _tensors.Keys;

    public float[] this[string name] => _tensors[name].Values;

    public int[] Shape(string name) => _tensors[name].Shape;

    public void Set(string name, int[] shape, float[] values)
    {
        Assert.Equal(shape.Aggregate(1, (a, b) => a * b), values.Length);
        _tensors[name] = (shape, values);
    }

    public void Fill(string name, Func<int, float> value) => Set(name, Shape(name), [.. Enumerable.Range(0, this[name].Length).Select(value)]);

    public static StoredTensors Read(string folder)
    {
        var tensors = new StoredTensors();
        foreach (var file in Directory.GetFiles(folder, "model*.safetensors"))
        {
            var bytes = File.ReadAllBytes(file);
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            foreach (var (name, entry) in JsonNode.Parse(Encoding.UTF8.GetString(bytes, 8, length))!.AsObject())
            {
                if (name == "__metadata__") continue;
                var (from, to) = ((int)entry!["data_offsets"]![0]!, (int)entry["data_offsets"]![1]!);
                var data = bytes.AsSpan(8 + length + from, to - from);
                var values = (string)entry["dtype"]! switch
                {
                    "F32" => MemoryMarshal.Cast<byte, float>(data).ToArray(),
                    "BF16" => [.. MemoryMarshal.Cast<byte, ushort>(data).ToArray().Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))],
                    "I64" => [.. MemoryMarshal.Cast<byte, long>(data).ToArray().Select(index => (float)index)],
                    var other => throw new NotSupportedException(other),
                };
                tensors.Set(name, [.. entry["shape"]!.AsArray().Select(n => (int)n!)], values);
            }
        }
        return tensors;
    }

    public void Write(string folder)
    {
        var header = new JsonObject();
        var end = 0L;
        foreach (var (name, (shape, values)) in _tensors)
        {
            var start = end;
            end += values.Length * sizeof(float);
            header[name] = new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]), ["data_offsets"] = new JsonArray(start, end) };
        }
        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        using var stream = File.Create(Path.Combine(folder, "model.safetensors"));
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        stream.Write(prefix);
        stream.Write(text);
        foreach (var (_, values) in _tensors.Values) stream.Write(MemoryMarshal.AsBytes<float>(values));
    }
}
