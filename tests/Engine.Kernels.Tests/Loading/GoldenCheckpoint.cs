using System.Buffers.Binary;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Tests.Models;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>A copy of a reference checkpoint in a temporary folder, to be spoiled in one respect by each test.</summary>
internal sealed class GoldenCheckpoint : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nanoaspire-golden-").FullName;
    private readonly Dictionary<string, (JsonObject Entry, byte[] Data)> _tensors = new(StringComparer.Ordinal);

    public GoldenCheckpoint(string name)
    {
        var source = GoldenCase.Folder(name);
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
