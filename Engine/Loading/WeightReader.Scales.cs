using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Loading;

/// <summary>Block-scaled weights: kept as they are where the matrix can be, otherwise as the float32 numbers they stand for.</summary>
internal sealed unsafe partial class WeightReader
{
    private const string Weight = ".weight", LongSuffix = "_scale_inv", ShortSuffix = ".scale";
    private bool? _shortSuffixes;

    private Matrix CreateMatrix(int rows, int columns, WeightType type, bool turned = false)
    {
        var matrix = Own(type == WeightType.E4M3
            ? kernels.CreateScaledMatrix(rows, columns, turned ? quantisation!.BlockRows : quantisation!.BlockColumns)
            : kernels.CreateMatrix(rows, columns, type));
        _bytes += matrix.Bytes;
        return matrix;
    }

    /// <summary>Null for a weight that is not scaled.</summary>
    private BlockScales? Scales(string name, WeightType type, int rows, int columns, int? count = null)
    {
        if (!type.IsScaled()) return null;
        var (blockRows, blockColumns) = type == WeightType.E2M1 ? (1, Float4.Group) : (quantisation!.BlockRows, quantisation.BlockColumns);
        var (down, across) = ((rows + blockRows - 1) / blockRows, (columns + blockColumns - 1) / blockColumns);
        return new(Factors(ScaleName(name), type, count is { } matrices ? [matrices, down, across] : [down, across]), rows, blockRows, blockColumns, across);
    }

    /// <summary>Either of two names; where neither tensor is there, the one that the checkpoint uses elsewhere.</summary>
    private string ScaleName(string name)
    {
        if (!name.EndsWith(Weight, StringComparison.Ordinal)) return name + LongSuffix;
        var (shorter, longer) = (name[..^Weight.Length] + ShortSuffix, name + LongSuffix);
        if (checkpoint.Find(longer) is not null) return longer;
        if (checkpoint.Find(shorter) is not null) return shorter;
        _shortSuffixes ??= checkpoint.Names.Any(other => other.EndsWith(ShortSuffix, StringComparison.Ordinal));
        return _shortSuffixes.Value ? shorter : longer;
    }

    /// <summary>The factors of a weight as float32. Not kept.</summary>
    private NativeBuffer Factors(string name, WeightType of, long[] shape)
    {
        var (file, tensor) = Locate(name, shape);
        var exponents = tensor.Type == TensorType.Exponents;
        if (!exponents && of == WeightType.E2M1) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}; factors of 4-bit floats are {TensorType.Exponents}");
        var length = shape.Aggregate(1L, (a, b) => checked(a * b));
        var memory = new NativeBuffer(length * sizeof(float));
        try
        {
            var into = (float*)memory.Address;
            if (exponents)
            {
                Stream(file, tensor, columns: 1, rowBytes: 1, (data, count) => new ReadOnlySpan<byte>(data, checked((int)count)).IndexOf(Exponent8.NaN), (first, count, data) =>
                {
                    for (var i = 0; i < count; i++) into[first + i] = Exponent8.ToSingle(((byte*)data)[i]);
                });
                for (var i = 0L; of == WeightType.E2M1 && i < length; i++)
                    if (into[i] > Exponent8.ToSingle(Exponent8.LargestOfFloat4)) throw new ModelLoadException($"{file.Name}: tensor {name} holds {into[i]:G3} at element {i}, with which weights are no float32 numbers");
            }
            else
            {
                var (_, _, type) = Find(name, shape);
                if (type.IsScaled()) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}, which only matrices may have");
                Stream(file, tensor, type, columns: 1, (first, count, data) =>
                {
                    for (var i = 0; i < count; i++) into[first + i] = Number(data, i, type);
                });
            }
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Writes stored rows to where they belong in a matrix, with their factors or multiplied by them.</summary>
    private static void Write(Matrix matrix, int to, int count, void* data, WeightType type, BlockScales? scales, int storedRow)
    {
        if (scales is null)
        {
            matrix.Write(to, count, data, type);
            return;
        }
        if (matrix.Type == type)
        {
            matrix.Write(to, count, data, type);
            for (var i = 0; i < count; i++) matrix.WriteScales(to + i, scales.Row(storedRow + i));
            return;
        }
        var values = new float[matrix.Columns];
        fixed (float* row = values)
        {
            for (var i = 0; i < count; i++)
            {
                Widen((byte*)data + type.Bytes((long)i * matrix.Columns), matrix.Columns, type, scales, storedRow + i, row);
                matrix.Write(to + i, 1, row, WeightType.F32);
            }
        }
    }

    /// <summary>One stored row as float32.</summary>
    private static void Widen(void* from, int columns, WeightType type, BlockScales? scales, int storedRow, float* to)
    {
        for (var c = 0; c < columns; c++) to[c] = Number(from, c, type);
        if (scales is null) return;
        var factors = scales.Row(storedRow);
        for (var c = 0; c < columns; c++) to[c] *= factors[c / scales.BlockColumns];
    }

    /// <summary>The factors of a weight, [rows / block, columns / block], partial blocks at the edges. One set after the other for stacked weights.</summary>
    private sealed class BlockScales(NativeBuffer factors, int rows, int blockRows, int blockColumns, int perRow) : IDisposable
    {
        public int Rows => rows;
        public int BlockRows => blockRows;
        public int BlockColumns => blockColumns;

        /// <summary>Factors of the blocks along one row; rows of stacked weights count on.</summary>
        public ReadOnlySpan<float> Row(int row)
        {
            var perMatrix = (rows + blockRows - 1) / blockRows;
            return new((float*)factors.Address + ((long)(row / rows) * perMatrix + row % rows / blockRows) * perRow, perRow);
        }

        public void Dispose() => factors.Dispose();
    }
}
