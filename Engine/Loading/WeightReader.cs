using System.Security.Cryptography;
using System.Text;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Loading;

/// <summary>
/// Hands a model its weights by name, and keeps count: what is asked for must exist in the asked shape, and at the end nothing may be left.
/// Each chunk of a tensor is scanned for NaN, hashed and packed in one go, while its pages are in the cache; then it is unmapped.
/// </summary>
/// <param name="checkpoint">Stays the caller's.</param>
/// <param name="kernels">Makes the matrices.</param>
/// <param name="keepAs">Type of the matrices; null: as stored.</param>
/// <param name="quantisation">How E4M3 weights are scaled; null when there should be none.</param>
/// <param name="threads">For scanning and packing.</param>
/// <param name="onRead">Told now and then how many bytes were read so far.</param>
internal sealed unsafe partial class WeightReader(Checkpoint checkpoint, IKernels kernels, WeightType? keepAs, Quantisation? quantisation, int threads, Action<long>? onRead = null) : IDisposable
{
    private const long ChunkBytes = 1 << 20, WindowBytes = 16 << 20;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _owned = [];
    private readonly IncrementalHash _identity = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private string? _digest;
    private long _bytes, _bytesRead;

    /// <summary>A linear layer's weights; several tensors are stacked by rows into one matrix, so one product serves them all.</summary>
    public Matrix Matrix(int columns, params ReadOnlySpan<MatrixPart> parts)
    {
        var (rows, types) = (0, new HashSet<WeightType>());
        foreach (var part in parts)
        {
            types.Add(Find(part.Name, part.Rows, columns).Type);
            rows = checked(rows + part.Rows);
        }
        var matrix = CreateMatrix(rows, columns, keepAs ?? (types.Count == 1 ? types.First() : WeightType.F32));
        var row = 0;
        foreach (var part in parts)
        {
            var (file, tensor, type) = Find(part.Name, part.Rows, columns);
            var (start, place) = (row, part.Place);
            using var scales = Scales(part.Name, type, part.Rows, columns);
            Stream(file, tensor, type, columns, (first, rowsHere, data) =>
            {
                if (place is null) Write(matrix, start + first, rowsHere, data, type, scales, first);
                else WritePlaced(matrix, start, place, first, rowsHere, data, type, scales);
            });
            row += part.Rows;
        }
        return matrix;
    }

    /// <summary>One tensor [count, rows, columns], or where <paramref name="inputsFirst"/> [count, columns, rows], as that many matrices.</summary>
    public Matrix[] Stacked(string name, int count, int rows, int columns, bool inputsFirst = false)
    {
        if (inputsFirst) return Turned(name, count, rows, columns);
        var found = Find(name, count, rows, columns);
        using var scales = Scales(name, found.Type, rows, columns, count);
        return Divide(found, scales, count, rows, columns);
    }

    /// <summary>One tensor [count · rows, columns] as that many matrices.</summary>
    public Matrix[] Divided(string name, int count, int rows, int columns)
    {
        var found = Find(name, checked(count * rows), columns);
        using var scales = Scales(name, found.Type, count * rows, columns);
        return Divide(found, scales, count, rows, columns);
    }

    private Matrix[] Divide((SafetensorsFile File, StoredTensor Tensor, WeightType Type) found, BlockScales? scales, int count, int rows, int columns)
    {
        var (file, tensor, type) = found;
        var matrices = new Matrix[count];
        for (var i = 0; i < count; i++) matrices[i] = CreateMatrix(rows, columns, keepAs ?? type);
        Stream(file, tensor, type, columns, (first, rowsHere, data) =>
        {
            while (rowsHere > 0)                                             // a chunk may end in the middle of a matrix
            {
                var (index, row) = (first / rows, first % rows);
                var part = Math.Min(rowsHere, rows - row);
                Write(matrices[index], row, part, data, type, scales, first);
                (first, rowsHere) = (first + part, rowsHere - part);
                data = (byte*)data + type.Bytes((long)part * columns);
            }
        });
        return matrices;
    }

    /// <summary>A matrix to be filled by <see cref="Rows"/>, in the type that a stored one would be kept in.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="like">The tensor whose numbers it will hold.</param>
    public Matrix Empty(int rows, int columns, string like)
    {
        var type = checkpoint.Find(like) is { } found ? TensorType.Weight(found.Tensor.Type) : null;
        return CreateMatrix(rows, columns, keepAs ?? (type is null || type.Value.IsScaled() ? WeightType.F32 : type.Value));
    }

    /// <summary>Visits the rows of a matrix as float32, several threads at once: for weights that are not used as they are stored.</summary>
    public void Rows(string name, int rows, int columns, RowVisitor visit)
    {
        var (file, tensor, type) = Find(name, rows, columns);
        using var scales = Scales(name, type, rows, columns);
        Stream(file, tensor, type, columns, (first, count, data) =>
        {
            var values = new float[columns];
            fixed (float* row = values)
            {
                for (var i = 0; i < count; i++)
                {
                    Widen((byte*)data + type.Bytes((long)i * columns), columns, type, scales, first + i, row);
                    visit(first + i, row);
                }
            }
        });
    }

    /// <param name="row">Its number.</param>
    /// <param name="values">Valid during the call.</param>
    public delegate void RowVisitor(int row, float* values);

    /// <summary>False for a tensor that the checkpoint does not have.</summary>
    public bool Has(string name) => checkpoint.Find(name) is not null;

    /// <summary>A table of indices [rows, columns], stored as I32 or I64, each below <paramref name="limit"/> and none twice in a row.</summary>
    public int* Indices(string name, int rows, int columns, int limit)
    {
        var (file, tensor) = Locate(name, rows, columns);
        if (tensor.Type is not ("I32" or "I64")) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}; I32 and I64 are supported");
        var memory = Own(new NativeBuffer((long)rows * columns * sizeof(int)));
        _bytes += memory.Bytes;
        var values = (int*)memory.Address;
        using var window = file.Map(tensor.Offset, tensor.Bytes);
        for (var i = 0L; i < (long)rows * columns; i++)
        {
            var value = tensor.Type == "I32" ? ((int*)window.Address)[i] : ((long*)window.Address)[i];
            if (value < 0 || value >= limit) throw new ModelLoadException($"{file.Name}: tensor {name} holds {value} at element {i}, not an index below {limit}");
            // A sum over experts takes each once: implementations differ on what twice would mean.
            if (new ReadOnlySpan<int>(values + (i - i % columns), (int)(i % columns)).Contains((int)value)) throw new ModelLoadException($"{file.Name}: tensor {name} holds {value} twice in row {i / columns}");
            values[i] = (int)value;
        }
        _identity.AppendData(Encoding.UTF8.GetBytes($"{name} {tensor.Type} {tensor.ShapeText}\n"));
        for (var at = 0L; at < tensor.Bytes; at += ChunkBytes) _identity.AppendData(new ReadOnlySpan<byte>(window.Address + at, (int)Math.Min(ChunkBytes, tensor.Bytes - at)));
        return values;
    }

    /// <summary>A norm's weights as float32 [1, length].</summary>
    /// <param name="name">Tensor.</param>
    /// <param name="length">Its only dimension.</param>
    /// <param name="offset">Added to each: 1 for norms whose stored weight is centred on zero.</param>
    public Tensor Vector(string name, int length, float offset = 0)
    {
        var vector = Vector(name, [length]);
        if (offset != 0) foreach (ref var value in vector.RowSpan(0)) value += offset;
        return vector;
    }

    /// <summary>A small tensor [rows, …], e.g. of a convolution, as float32 [elements a row, rows].</summary>
    public Tensor Transposed(string name, params ReadOnlySpan<long> shape)
    {
        var stored = Vector(name, shape);
        var (rows, columns, values) = ((int)shape[0], stored.Columns / (int)shape[0], stored.RowSpan(0).ToArray());
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) stored.Data[column * rows + row] = values[row * columns + column];
        return new(stored.Data, columns, rows);
    }

    /// <summary>A small tensor of any shape as float32 [1, elements].</summary>
    public Tensor Vector(string name, params ReadOnlySpan<long> shape)
    {
        var (file, tensor, type) = Find(name, shape);
        if (type.IsScaled()) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}, which only matrices may have");
        var length = checked((int)(tensor.Bytes / type.Bytes(1)));
        var memory = Own(new NativeBuffer((long)length * sizeof(float)));
        _bytes += memory.Bytes;
        var values = (float*)memory.Address;
        Stream(file, tensor, type, columns: 1, (first, count, data) =>
        {
            for (var i = 0; i < count; i++) values[first + i] = Number(data, i, type);
        });
        return new(values, 1, length);
    }

    /// <summary>A stored copy of a tied tensor must be that tensor: where both are there and differ, no choice between them would be right.</summary>
    public void Duplicate(string name, string of)
    {
        if (checkpoint.Find(name) is not { } copy || checkpoint.Find(of) is not { } original) return;
        _read.Add(name);
        if (copy.Tensor.Type != original.Tensor.Type || !copy.Tensor.Shape.AsSpan().SequenceEqual(original.Tensor.Shape) || !SameBytes(copy, original))
            throw new ModelLoadException($"{copy.File.Name}: tensor {name} differs from {of}, to which the configuration ties it");
    }

    /// <summary>What is read from now on is no part of the digest: engines that differ in it may exchange blocks.</summary>
    public void EndDigest() => _digest ??= Convert.ToHexStringLower(_identity.GetCurrentHash());

    /// <summary>Ends reading: every tensor must have been used, or be one the family may ignore.</summary>
    /// <returns>All that was read; the caller owns it.</returns>
    public LoadedWeights Complete(Func<string, bool> ignorable)
    {
        foreach (var name in checkpoint.Names.Order(StringComparer.Ordinal))
            if (!_read.Contains(name) && !ignorable(name)) throw new ModelLoadException($"{checkpoint.Find(name)!.Value.File.Name}: tensor {name} is not part of this architecture");
        var weights = new LoadedWeights([.. _owned], _bytes, _digest ?? Convert.ToHexStringLower(_identity.GetHashAndReset()));
        _owned.Clear();
        return weights;
    }

    /// <summary>Frees what was read, unless <see cref="Complete"/> was reached.</summary>
    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _identity.Dispose();
    }

    /// <summary>Runs of rows that stay together are written together.</summary>
    private static void WritePlaced(Matrix matrix, int start, Func<int, int> place, int first, int rows, void* data, WeightType type, BlockScales? scales)
    {
        for (int row = 0, run; row < rows; row += run)
        {
            var to = place(first + row);
            for (run = 1; row + run < rows && place(first + row + run) == to + run;) run++;
            Write(matrix, start + to, run, (byte*)data + type.Bytes((long)row * matrix.Columns), type, scales, first + row);
        }
    }

    private static float Number(void* data, long index, WeightType type) => type switch
    {
        WeightType.F32 => ((float*)data)[index],
        WeightType.F16 => (float)((Half*)data)[index],
        WeightType.E4M3 => Float8.ToSingle(((byte*)data)[index]),
        WeightType.E2M1 => Float4.ToSingle(((byte*)data)[index / 2] >> (int)(index % 2 * 4) & 15),
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)data)[index] << 16),
    };

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <param name="name">Tensor.</param>
    /// <param name="shape">Of its numbers.</param>
    private (SafetensorsFile File, StoredTensor Tensor, WeightType Type) Find(string name, params ReadOnlySpan<long> shape)
    {
        var packed = quantisation is not null && checkpoint.Find(name) is { } stored && TensorType.IsPacked(stored.Tensor.Type);
        if (packed && !quantisation!.Packed) throw new ModelLoadException($"{checkpoint.Find(name)!.Value.File.Name}: tensor {name} has dtype {checkpoint.Find(name)!.Value.Tensor.Type}, but expert_dtype of config.json is not fp4");
        var (file, tensor) = Locate(name, packed ? [.. shape[..^1], shape[^1] / 2] : shape);
        var type = (packed ? WeightType.E2M1 : TensorType.Weight(tensor.Type))
            ?? throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}; F32, F16, BF16 and scaled F8_E4M3 and F4 are supported");
        if (type.IsScaled() && quantisation is null) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}, but config.json has no quantization_config");
        if (type == WeightType.E2M1 && shape[^1] % 2 != 0) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}, but its {shape[^1]} columns are not pairs");
        return (file, tensor, type);
    }

    private (SafetensorsFile File, StoredTensor Tensor) Locate(string name, params ReadOnlySpan<long> shape)
    {
        if (checkpoint.Find(name) is not { } found) throw new ModelLoadException($"tensor {name} is missing");
        _read.Add(name);
        if (!found.Tensor.Shape.AsSpan().SequenceEqual(shape))
            throw new ModelLoadException($"{found.File.Name}: tensor {name} has shape {found.Tensor.ShapeText}, expected [{string.Join(", ", shape.ToArray())}]");
        return found;
    }
}
