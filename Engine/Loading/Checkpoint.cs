using System.Text.Json;

namespace NanoAspire.Engine.Loading;

/// <summary>The tensors of a model folder: <c>model.safetensors</c>, or the shards of <c>model.safetensors.index.json</c>. Owns the open files.</summary>
internal sealed class Checkpoint : IDisposable
{
    private const string Single = "model.safetensors", Index = "model.safetensors.index.json";
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, StoredTensor Tensor)> _tensors = new(StringComparer.Ordinal);

    private Checkpoint() { }

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <exception cref="ModelLoadException">A file is missing or malformed, or index and shards disagree.</exception>
    public static Checkpoint Open(string folder)
    {
        var checkpoint = new Checkpoint();
        try
        {
            if (File.Exists(Path.Combine(folder, Single))) checkpoint.Add(Path.Combine(folder, Single));
            else if (File.Exists(Path.Combine(folder, Index))) checkpoint.AddShards(folder);
            else throw new ModelLoadException($"{folder}: neither {Single} nor {Index} is there");
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public (SafetensorsFile File, StoredTensor Tensor)? Find(string name) => _tensors.TryGetValue(name, out var found) ? found : null;

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private void AddShards(string folder)
    {
        using var json = JsonFile.Read(Path.Combine(folder, Index));
        if (!json.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new ModelLoadException($"{Index}: weight_map is missing");
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            var file = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (file.Length == 0 || file != Path.GetFileName(file) || file is "." or "..") throw new ModelLoadException($"{Index}: tensor {entry.Name} is mapped to '{file}', which is not a file name");
            if (!expected.TryAdd(entry.Name, file)) throw new ModelLoadException($"{Index}: tensor {entry.Name} is listed twice");
        }
        foreach (var file in expected.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var path = Path.Combine(folder, file);
            if (!File.Exists(path)) throw new ModelLoadException($"{file}: missing, though {Index} names it");
            Add(path);
        }
        foreach (var (name, file) in expected)
        {
            if (Find(name) is not { } found || found.File.Name != file) throw new ModelLoadException($"{file}: tensor {name} is missing, though {Index} maps it there");
        }
        if (_tensors.Keys.FirstOrDefault(name => !expected.ContainsKey(name)) is { } extra)
            throw new ModelLoadException($"{_tensors[extra].File.Name}: tensor {extra} is not in {Index}");
    }

    private void Add(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!_tensors.TryAdd(tensor.Name, (file, tensor))) throw new ModelLoadException($"{file.Name}: tensor {tensor.Name} is also in {_tensors[tensor.Name].File.Name}");
        }
    }
}
