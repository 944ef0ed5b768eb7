using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>The checkpoint that a scaled one stands for: every number times its factor, as float32, by the definitions of the formats and apart from the loader.</summary>
internal static class PlainForm
{
    /// <summary>Writes it beside <paramref name="folder"/>, in its subfolder <c>plain</c>.</summary>
    public static string Write(string folder)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        var block = config["quantization_config"]!["weight_block_size"]!.AsArray().Select(n => (int)n!).ToArray();
        var file = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var entries = JsonNode.Parse(Encoding.UTF8.GetString(file, 8, length))!.AsObject();
        var (header, data) = (new JsonObject(), new MemoryStream());
        foreach (var (name, entry) in entries)
        {
            var scale = name.Replace(".weight", ".scale", StringComparison.Ordinal);
            if (!entries.ContainsKey(scale)) scale = name + "_scale_inv";
            var (type, start) = ((string)entry!["dtype"]!, data.Length);
            var shape = entry["shape"]!.AsArray().Select(n => (int)n!).ToArray();
            if (type == "F8_E8M0" || name.EndsWith("_scale_inv", StringComparison.Ordinal) || name.EndsWith(".scale", StringComparison.Ordinal)) continue;
            if (type is "F8_E4M3" or "F4" or "I8" or "U8")
            {
                if (type is "I8" or "U8") shape[1] *= 2;
                data.Write(MemoryMarshal.AsBytes<float>(Numbers(Data(name), type == "F8_E4M3", shape[0], shape[1], Data(scale), (string)entries[scale]!["dtype"]! == "F8_E8M0", type == "F8_E4M3" ? block : [1, 32])));
                type = "F32";
            }
            else data.Write(Data(name));
            header[name] = new JsonObject { ["dtype"] = type, ["shape"] = new JsonArray([.. shape.Select(n => (JsonNode)n)]), ["data_offsets"] = new JsonArray(start, data.Length) };
        }
        config.Remove("quantization_config");
        var plain = Directory.CreateDirectory(Path.Combine(folder, "plain")).FullName;
        File.WriteAllText(Path.Combine(plain, "config.json"), config.ToJsonString());
        using var stream = File.Create(Path.Combine(plain, "model.safetensors"));
        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        stream.Write(BitConverter.GetBytes((long)text.Length));
        stream.Write(text);
        data.WriteTo(stream);
        return plain;

        byte[] Data(string name) => file[(8 + length + (int)entries[name]!["data_offsets"]![0]!)..(8 + length + (int)entries[name]!["data_offsets"]![1]!)];
    }

    private static float[] Numbers(byte[] stored, bool eightBits, int rows, int columns, byte[] scales, bool exponents, int[] block)
    {
        var (values, across) = (new float[rows * columns], (columns + block[1] - 1) / block[1]);
        for (var i = 0; i < values.Length; i++)
        {
            var at = i / columns / block[0] * across + i % columns / block[1];
            var number = eightBits ? Float8.Reference(stored[i]) : Float4.Reference(i % 2 == 0 ? stored[i / 2] % 16 : stored[i / 2] / 16);
            values[i] = (float)(number * (exponents ? Math.Pow(2, scales[at] - 127) : BitConverter.ToSingle(scales, at * sizeof(float))));
        }
        return values;
    }
}
