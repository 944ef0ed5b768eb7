using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>
/// Hands a model its weights by name, and keeps count: what is asked for must exist in the asked shape, and at the end nothing may be left.
/// Each chunk of a tensor is scanned for NaN, hashed and packed in one go, while its pages are in the cache; then it is unmapped.
/// </summary>
/// <param name="checkpoint">Stays the caller's.</param>
/// <param name="kernels">Makes the matrices.</param>
/// <param name="keepAs">Type of the matrices; null: as stored.</param>
/// <param name="threads">For scanning and packing.</param>
internal sealed unsafe class WeightReader(Checkpoint checkpoint, IKernels kernels, WeightType? keepAs, int threads) : IDisposable
{
    private const long ChunkBytes = 1 << 20, WindowBytes = 64 << 20;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _owned = [];
    private readonly IncrementalHash _identity = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _bytes;

    /// <summary>A linear layer's weights; several tensors are stacked by rows into one matrix, so one product serves them all.</summary>
    public Matrix Matrix(int columns, params ReadOnlySpan<(string Name, int Rows)> parts)
    {
        var (rows, types) = (0, new HashSet<WeightType>());
        foreach (var (name, count) in parts)
        {
            types.Add(Find(name, count, columns).Type);
            rows += count;
        }
        var matrix = Own(kernels.CreateMatrix(rows, columns, keepAs ?? (types.Count == 1 ? types.First() : WeightType.F32)));
        _bytes += matrix.Bytes;
        var row = 0;
        foreach (var (name, count) in parts)
        {
            var (file, tensor, type) = Find(name, count, columns);
            var start = row;
            Stream(file, tensor, type, columns, (first, rowsHere, data) => matrix.Write(start + first, rowsHere, data, type));
            row += count;
        }
        return matrix;
    }

    /// <summary>A norm's weights as float32 [1, length].</summary>
    public Tensor Vector(string name, int length)
    {
        var (file, tensor, type) = Find(name, length);
        var memory = Own(new NativeBuffer((long)length * sizeof(float)));
        _bytes += memory.Bytes;
        var values = (float*)memory.Address;
        Stream(file, tensor, type, columns: 1, (first, count, data) =>
        {
            for (var i = 0; i < count; i++)
            {
                values[first + i] = type switch
                {
                    WeightType.F32 => ((float*)data)[i],
                    WeightType.F16 => (float)((Half*)data)[i],
                    _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)data)[i] << 16),
                };
            }
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

    /// <summary>Ends reading: every tensor must have been used, or be one the family may ignore.</summary>
    /// <returns>All that was read; the caller owns it.</returns>
    public LoadedWeights Complete(Func<string, bool> ignorable)
    {
        foreach (var name in checkpoint.Names.Order(StringComparer.Ordinal))
            if (!_read.Contains(name) && !ignorable(name)) throw new ModelLoadException($"{checkpoint.Find(name)!.Value.File.Name}: tensor {name} is not part of this architecture");
        var weights = new LoadedWeights([.. _owned], _bytes, Convert.ToHexStringLower(_identity.GetHashAndReset()));
        _owned.Clear();
        return weights;
    }

    /// <summary>Frees what was read, unless <see cref="Complete"/> was reached.</summary>
    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _identity.Dispose();
    }

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    private (SafetensorsFile File, StoredTensor Tensor, WeightType Type) Find(string name, params ReadOnlySpan<long> shape)
    {
        if (checkpoint.Find(name) is not { } found) throw new ModelLoadException($"tensor {name} is missing");
        _read.Add(name);
        if (!found.Tensor.Shape.AsSpan().SequenceEqual(shape))
            throw new ModelLoadException($"{found.File.Name}: tensor {name} has shape {found.Tensor.ShapeText}, expected [{string.Join(", ", shape.ToArray())}]");
        var type = TensorType.Weight(found.Tensor.Type) ?? throw new ModelLoadException($"{found.File.Name}: tensor {name} has dtype {found.Tensor.Type}; F32, F16 and BF16 are supported");
        return (found.File, found.Tensor, type);
    }

    private delegate void Sink(int row, int rows, void* data);

    private void Stream(SafetensorsFile file, StoredTensor tensor, WeightType type, int columns, Sink sink)
    {
        var (rowBytes, rows) = ((long)columns * type.Bytes(), tensor.Bytes / type.Bytes() / columns);
        // Fixed cuts, in whole panels of 32 rows: the digest must not depend on the machine.
        var rowsPerChunk = Math.Max(32, ChunkBytes / rowBytes / 32 * 32);
        var chunksPerWindow = Math.Max(1, WindowBytes / (rowsPerChunk * rowBytes));
        var chunks = (rows + rowsPerChunk - 1) / rowsPerChunk;
        var hashes = new byte[chunks * sizeof(ulong)];
        for (var first = 0L; first < chunks; first += chunksPerWindow)
        {
            var last = Math.Min(first + chunksPerWindow, chunks);
            var windowRow = first * rowsPerChunk;
            using var window = file.Map(tensor.Offset + windowRow * rowBytes, (Math.Min(last * rowsPerChunk, rows) - windowRow) * rowBytes);
            var data = (nint)window.Address;
            var bad = long.MaxValue;
            var gate = new Lock();
            Parallel.For(first, last, new ParallelOptions { MaxDegreeOfParallelism = threads }, chunk =>
            {
                var row = chunk * rowsPerChunk;
                var count = Math.Min(rowsPerChunk, rows - row);
                var from = (byte*)data + (row - windowRow) * rowBytes;
                var found = FiniteScan.FirstNonFinite(from, count * columns, type);
                if (found >= 0)
                {
                    lock (gate) bad = Math.Min(bad, row * columns + found);
                    return;
                }
                BinaryPrimitives.WriteUInt64LittleEndian(hashes.AsSpan((int)(chunk * sizeof(ulong))), XxHash64.HashToUInt64(new(from, checked((int)(count * rowBytes)))));
                sink((int)row, (int)count, from);
            });
            if (bad != long.MaxValue) throw new ModelLoadException($"{file.Name}: tensor {tensor.Name} holds NaN or infinity at element {bad}");
        }
        _identity.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Type} {tensor.ShapeText}\n"));
        _identity.AppendData(hashes);
    }

    private static bool SameBytes((SafetensorsFile File, StoredTensor Tensor) a, (SafetensorsFile File, StoredTensor Tensor) b)
    {
        for (var at = 0L; at < a.Tensor.Bytes; at += WindowBytes)
        {
            var bytes = Math.Min(WindowBytes, a.Tensor.Bytes - at);
            using var left = a.File.Map(a.Tensor.Offset + at, bytes);
            using var right = b.File.Map(b.Tensor.Offset + at, bytes);
            if (!new ReadOnlySpan<byte>(left.Address, (int)bytes).SequenceEqual(new(right.Address, (int)bytes))) return false;
        }
        return true;
    }
}
