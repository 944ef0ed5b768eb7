using System.Runtime.CompilerServices;

namespace NanoAspire.Engine.Kernels;

/// <summary>A float32 matrix view: rows × columns, rows <see cref="Stride"/> elements apart. Owns nothing; the workspace frame does.</summary>
internal readonly unsafe struct Tensor(float* data, int rows, int columns, int stride)
{
    public Tensor(float* data, int rows, int columns) : this(data, rows, columns, columns) { }

    public float* Data { get; } = data;
    public int Rows { get; } = rows;
    public int Columns { get; } = columns;
    /// <summary>Elements from one row to the next.</summary>
    public int Stride { get; } = stride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Row(int row) => Data + (nint)row * Stride;

    public Span<float> RowSpan(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new(Row(row), Columns);
    }

    /// <summary>The same rows, only columns [start, start + count): how q, k and v are read out of one fused projection.</summary>
    public Tensor Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(start + count), (uint)Columns, nameof(count));
        return new(Data + start, Rows, count, Stride);
    }
}
