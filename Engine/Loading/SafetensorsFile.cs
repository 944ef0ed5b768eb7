using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text.Json;

namespace NanoAspire.Engine.Loading;

/// <param name="Name">As in the checkpoint.</param>
/// <param name="Type">safetensors type name.</param>
/// <param name="Shape">Row-major.</param>
/// <param name="Offset">From the start of the file.</param>
/// <param name="Bytes">Length of the data.</param>
internal sealed record StoredTensor(string Name, string Type, long[] Shape, long Offset, long Bytes)
{
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

/// <summary>
/// One safetensors file, memory-mapped. Its header is checked whole before any tensor is touched: known types, sizes that match shapes, and
/// data that covers the file without gap or overlap, so a truncated or padded file is refused. Owns the file and the mapping.
/// </summary>
internal sealed class SafetensorsFile : IDisposable
{
    private const long MaxHeaderBytes = 100_000_000;
    private const int MaxDimensions = 16;
    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;

    private SafetensorsFile(string name, FileStream file, IReadOnlyList<StoredTensor> tensors)
    {
        (Name, _file, Tensors) = (name, file, tensors);
        _map = MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
    }

    /// <summary>File name without its folder, for messages.</summary>
    public string Name { get; }
    public IReadOnlyList<StoredTensor> Tensors { get; }

    /// <exception cref="ModelLoadException">Unreadable or malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        var name = Path.GetFileName(path);
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return new SafetensorsFile(name, file, ReadHeader(file, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new ModelLoadException($"{name}: {e.Message}", e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>A window of the file; the caller disposes it, and with it the pages leave this process.</summary>
    public MappedRange Map(long offset, long bytes)
    {
        try
        {
            return new(_map.CreateViewAccessor(offset, bytes, MemoryMappedFileAccess.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"{Name}: cannot map {bytes} bytes at {offset}: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _map.Dispose();
        _file.Dispose();
    }

    private static List<StoredTensor> ReadHeader(FileStream file, string name)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (file.Length < 8) throw Bad($"is {file.Length} bytes long, too short for a safetensors file");
        file.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderBytes) throw Bad($"declares a header of {length} bytes, more than {MaxHeaderBytes}: not a safetensors file");
        if ((long)length > file.Length - 8) throw Bad($"declares a header of {length} bytes but has {file.Length - 8}: truncated");
        var header = new byte[length];
        file.ReadExactly(header);

        var (start, tensors) = (8 + (long)length, new List<StoredTensor>());
        using (var json = JsonFile.Parse(header, $"{name}: header is"))
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var entry in json.RootElement.EnumerateObject())
            {
                if (!names.Add(entry.Name)) throw Bad($"names tensor {entry.Name} twice");
                if (entry.Name != "__metadata__") tensors.Add(ReadEntry(entry.Name, entry.Value, start));
            }
        }

        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Bytes.CompareTo(b.Bytes));
        var end = start;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset < end) throw Bad($"tensor {tensor.Name} overlaps the one before it");
            if (tensor.Offset > end) throw Bad($"{tensor.Offset - end} bytes before tensor {tensor.Name} belong to nothing");
            end = tensor.Offset + tensor.Bytes;
        }
        if (end > file.Length) throw Bad($"is {file.Length} bytes long but its tensors need {end}: truncated");
        if (end < file.Length) throw Bad($"has {file.Length - end} bytes after its last tensor");
        return tensors;

        ModelLoadException Bad(string what) => new($"{name}: {what}");

        StoredTensor ReadEntry(string tensor, JsonElement entry, long dataStart)
        {
            if (entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
                || !entry.TryGetProperty("shape", out var shapeElement) || ReadLongs(shapeElement) is not { } shape
                || !entry.TryGetProperty("data_offsets", out var offsetsElement) || ReadLongs(offsetsElement) is not [var begin, var finish])
                throw Bad($"tensor {tensor} needs dtype, shape and data_offsets");
            var bits = TensorType.Bits(dtype.GetString()!);
            if (bits == 0) throw Bad($"tensor {tensor} has unknown dtype {dtype.GetString()}");
            if (begin > finish || finish > file.Length) throw Bad($"tensor {tensor} has data_offsets [{begin}, {finish}] outside the file of {file.Length} bytes: truncated or damaged");
            var elements = (Int128)1;
            foreach (var n in shape) elements = elements > long.MaxValue ? elements : elements * n;
            if (elements > long.MaxValue || elements * bits != (Int128)(finish - begin) * 8) throw Bad($"tensor {tensor} has {finish - begin} bytes of data, not those of {dtype.GetString()} [{string.Join(", ", shape)}]");
            return new(tensor, dtype.GetString()!, shape, dataStart + begin, finish - begin);
        }
    }

    /// <summary>Null unless it is an array of non-negative integers, no longer than any shape.</summary>
    private static long[]? ReadLongs(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() > MaxDimensions) return null;
        var values = new long[element.GetArrayLength()];
        for (var i = 0; i < values.Length; i++)
            if (element[i].ValueKind != JsonValueKind.Number || !element[i].TryGetInt64(out values[i]) || values[i] < 0) return null;
        return values;
    }
}

/// <summary>A mapped part of a file. The pointer is valid until disposal.</summary>
internal sealed unsafe class MappedRange : IDisposable
{
    private readonly MemoryMappedViewAccessor _view;

    public MappedRange(MemoryMappedViewAccessor view)
    {
        _view = view;
        byte* page = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref page);
        Address = page + view.PointerOffset;
    }

    public byte* Address { get; }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
    }
}
