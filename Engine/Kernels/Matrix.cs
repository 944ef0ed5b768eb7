namespace NanoAspire.Engine.Kernels;

/// <summary>A weight matrix [rows = output features, columns = input features] in the layout its backend likes best.</summary>
internal abstract class Matrix(int rows, int columns, WeightType type) : IDisposable
{
    public int Rows { get; } = rows;
    public int Columns { get; } = columns;
    public WeightType Type { get; } = type;
    /// <summary>Bytes kept, padding included.</summary>
    public abstract long Bytes { get; }

    /// <summary>Fills rows [<paramref name="row"/>, row + <paramref name="count"/>) from row-major numbers of any type. Different rows may be written by different threads.</summary>
    public abstract unsafe void Write(int row, int count, void* source, WeightType sourceType);

    /// <summary>Fills one column from as many numbers as there are rows, of any type: how a stored matrix is turned. Different columns may be written by different threads.</summary>
    public abstract unsafe void WriteColumn(int column, void* source, WeightType sourceType);

    /// <summary>Sets the factors of one row of a scaled matrix, one for every block of columns; powers of two in a 4-bit one. Different rows may be written by different threads.</summary>
    public abstract void WriteScales(int row, ReadOnlySpan<float> factors);

    public abstract void Dispose();
}
