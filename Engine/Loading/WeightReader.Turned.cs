using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <content>Stacked matrices whose rows are stored as columns.</content>
internal sealed unsafe partial class WeightReader
{
    /// <summary>One tensor [count, columns, rows] as that many matrices. Blocks that share a factor are turned with it.</summary>
    private Matrix[] Turned(string name, int count, int rows, int columns)
    {
        var (file, tensor, type) = Find(name, count, columns, rows);
        if (type == WeightType.E2M1) throw new ModelLoadException($"{file.Name}: tensor {name} has dtype {tensor.Type}; 4-bit floats are supported outputs first");
        using var scales = Scales(name, type, columns, rows, count);
        var matrices = new Matrix[count];
        for (var i = 0; i < count; i++) matrices[i] = CreateMatrix(rows, columns, keepAs ?? type, turned: true);
        var widen = scales is not null && matrices[0].Type != WeightType.E4M3;
        Stream(file, tensor, type, rows, (first, storedRows, data) =>
        {
            var values = new float[widen ? rows : 0];
            fixed (float* widened = values)
            {
                for (var stored = first; stored < first + storedRows; stored++)
                {
                    var from = (byte*)data + (long)(stored - first) * rows * type.Bytes();
                    if (widen) Widen(from, rows, type, scales, stored, widened);
                    matrices[stored / columns].WriteColumn(stored % columns, widen ? widened : from, widen ? WeightType.F32 : type);
                }
            }
        });
        if (scales is not null && !widen) TurnScales(matrices, scales);
        return matrices;
    }

    /// <summary>Row r takes its factor for each block of columns from the block that holds r.</summary>
    private static void TurnScales(Matrix[] matrices, BlockScales scales)
    {
        var factors = new float[(scales.Rows + scales.BlockRows - 1) / scales.BlockRows];
        for (var i = 0; i < matrices.Length; i++)
        {
            for (var row = 0; row < matrices[i].Rows; row++)
            {
                for (var block = 0; block < factors.Length; block++) factors[block] = scales.Row(i * scales.Rows + block * scales.BlockRows)[row / scales.BlockColumns];
                matrices[i].WriteScales(row, factors);
            }
        }
    }
}
