using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <summary>Block-scaled weights: kept as they are where the matrix can be, otherwise as the float32 numbers they stand for.</summary>
internal sealed unsafe partial class WeightReader
{
    /// <summary>The factors of a weight, [rows / block, columns / block], partial blocks at the edges. One set after the other for stacked weights.</summary>
    private sealed record BlockScales(float[] Factors, int Rows, int BlockRows, int BlockColumns, int PerRow)
    {
        /// <summary>Factors of the blocks along one row; rows of stacked weights count on.</summary>
        public ReadOnlySpan<float> Row(int row)
        {
            var perMatrix = (Rows + BlockRows - 1) / BlockRows;
            return Factors.AsSpan((row / Rows * perMatrix + row % Rows / BlockRows) * PerRow, PerRow);
        }
    }

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
        if (type != WeightType.E4M3) return null;
        var (down, across) = ((rows + quantisation!.BlockRows - 1) / quantisation.BlockRows, (columns + quantisation.BlockColumns - 1) / quantisation.BlockColumns);
        var scales = count is { } matrices ? Vector(name + "_scale_inv", [matrices, down, across]) : Vector(name + "_scale_inv", [down, across]);
        return new(scales.RowSpan(0).ToArray(), rows, quantisation.BlockRows, quantisation.BlockColumns, across);
    }

    /// <summary>Writes stored rows to where they belong in a matrix, with their factors or multiplied by them.</summary>
    private static void Write(Matrix matrix, int to, int count, void* data, WeightType type, BlockScales? scales, int storedRow)
    {
        if (scales is null)
        {
            matrix.Write(to, count, data, type);
            return;
        }
        if (matrix.Type == WeightType.E4M3)
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
                Widen((byte*)data + (long)i * matrix.Columns, matrix.Columns, type, scales, storedRow + i, row);
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
}
