using System.Runtime.CompilerServices;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>
/// Weights as panels [rows / 32][columns][32]: a panel holds 32 output features, one k step after the other, so both the matrix-vector
/// and the matrix product read it as one sequential stream. 16-bit and 8-bit panels interleave features i and i + 16 (<see cref="Bf16Pairs"/>,
/// <see cref="E4M3Pairs"/>); 4-bit ones keep two k steps of a feature in a byte, as they are stored. The last panel is padded with zeros.
/// Scaled panels have factors behind them, [panels][blocks of columns][32]: float32 for E4M3, exponents for E2M1.
/// </summary>
internal sealed unsafe class PackedMatrix : Matrix
{
    private const int Width = Tile.Columns;
    private readonly NativeBuffer _memory;

    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="type">As kept.</param>
    /// <param name="blockColumns">Columns that share a factor, of E4M3; E2M1 has a number of its own.</param>
    public PackedMatrix(int rows, int columns, WeightType type, int blockColumns = 0) : base(rows, columns, type)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (type == WeightType.E4M3) ArgumentOutOfRangeException.ThrowIfLessThan(blockColumns, 1);
        if (type == WeightType.E2M1) ArgumentOutOfRangeException.ThrowIfNotEqual(columns % 2, 0, nameof(columns));
        BlockColumns = type == WeightType.E2M1 ? Float4.Group : blockColumns;
        _memory = new NativeBuffer(Panels * PanelBytes + (long)Panels * Blocks * Width * (type == WeightType.E2M1 ? sizeof(byte) : sizeof(float)));
    }

    public int Panels => (Rows + Width - 1) / Width;
    public long PanelBytes => Type.Bytes((long)Columns * Width);
    /// <summary>Bytes of one k step of a panel; 4-bit panels have only whole pairs of steps.</summary>
    public int StepBytes => Width * Type.Bytes();
    /// <summary>Columns that share a factor.</summary>
    public int BlockColumns { get; }
    /// <summary>Factors of a row; 0 for a matrix without.</summary>
    public int Blocks => BlockColumns == 0 ? 0 : (Columns + BlockColumns - 1) / BlockColumns;
    public override long Bytes => _memory.Bytes;

    public byte* Panel(int panel) => _memory.Address + panel * PanelBytes;

    /// <summary>The 32 factors of a block of columns of a panel.</summary>
    public float* Factors(int panel, int block) => (float*)(_memory.Address + Panels * PanelBytes) + ((long)panel * Blocks + block) * Width;

    /// <summary>The same of an E2M1 panel, as exponents (<see cref="Exponent8"/>).</summary>
    public byte* Exponents(int panel, int block) => _memory.Address + Panels * PanelBytes + ((long)panel * Blocks + block) * Width;

    public override void WriteScales(int row, ReadOnlySpan<float> factors)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(factors.Length, Blocks, nameof(factors));
        var (panel, lane) = (row / Width, row % Width);
        for (var block = 0; block < factors.Length; block++)
        {
            if (Type == WeightType.E2M1) Exponents(panel, block)[lane] = Exponent8.FromSingle(factors[block]);
            else Factors(panel, block)[lane] = factors[block];
        }
    }

    public override void Write(int row, int count, void* source, WeightType sourceType)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(row + count, Rows, nameof(count));
        const int Strip = 128;                                               // k steps whose panel lines stay in the first cache
        var converted = stackalloc byte[Strip * sizeof(float)];
        while (count > 0)
        {
            var panel = Panel(row / Width);
            var lane = row % Width;
            var lanes = Math.Min(count, Width - lane);
            for (var k = 0; k < Columns; k += Strip)
            {
                var steps = Math.Min(Strip, Columns - k);
                for (var i = 0; i < lanes; i++)
                {
                    var from = (byte*)source + sourceType.Bytes((long)i * Columns + k);
                    var numbers = sourceType == Type ? from : Convert(from, sourceType, converted, steps);
                    Scatter(numbers, panel + Type.Bytes((long)k * Width), lane + i, steps);
                }
            }
            (row, count) = (row + lanes, count - lanes);
            source = (byte*)source + sourceType.Bytes((long)lanes * Columns);
        }
    }

    public override void WriteColumn(int column, void* source, WeightType sourceType)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
        if (Type == WeightType.E2M1) throw new NotSupportedException("Two numbers of a row share a byte.");
        var converted = stackalloc byte[Width * sizeof(float)];
        for (var row = 0; row < Rows; row += Width)
        {
            var lanes = Math.Min(Width, Rows - row);
            var from = (byte*)source + (long)row * sourceType.Bytes();
            var numbers = sourceType == Type ? from : Convert(from, sourceType, converted, lanes);
            var step = Panel(row / Width) + (long)column * StepBytes;
            if (Type == WeightType.F32) for (var lane = 0; lane < lanes; lane++) ((uint*)step)[lane] = ((uint*)numbers)[lane];
            else if (Type == WeightType.E4M3) for (var lane = 0; lane < lanes; lane++) step[Paired(lane)] = numbers[lane];
            else for (var lane = 0; lane < lanes; lane++) ((ushort*)step)[Paired(lane)] = ((ushort*)numbers)[lane];
        }
    }

    /// <summary>One row as float32, as an embedding is read.</summary>
    public void ReadRow(int row, float* into)
    {
        var panel = Panel(row / Width);
        var lane = row % Width;
        if (Type == WeightType.F32)
        {
            var from = (float*)panel + lane;
            for (var k = 0; k < Columns; k++) into[k] = from[(long)k * Width];
        }
        else if (Type == WeightType.E4M3)
        {
            var from = panel + Paired(lane);
            for (var k = 0; k < Columns; k++) into[k] = Float8.ToSingle(from[(long)k * Width]) * Factors(row / Width, k / BlockColumns)[lane];
        }
        else if (Type == WeightType.E2M1)
        {
            for (var k = 0; k < Columns; k++)
                into[k] = Float4.ToSingle(panel[k / 2 * Width + lane] >> k % 2 * 4 & 15) * Exponent8.ToSingle(Exponents(row / Width, k / BlockColumns)[lane]);
        }
        else
        {
            var from = (ushort*)panel + Paired(lane);
            if (Type == WeightType.BF16) for (var k = 0; k < Columns; k++) into[k] = BFloat16.ToSingle(from[(long)k * Width]);
            else for (var k = 0; k < Columns; k++) into[k] = (float)BitConverter.UInt16BitsToHalf(from[(long)k * Width]);
        }
    }

    public override void Dispose() => _memory.Dispose();

    private void Scatter(byte* numbers, byte* to, int lane, int steps)
    {
        if (Type == WeightType.F32) for (var k = 0; k < steps; k++) ((uint*)to)[k * Width + lane] = ((uint*)numbers)[k];
        else if (Type == WeightType.E4M3) for (var k = 0; k < steps; k++) to[k * Width + Paired(lane)] = numbers[k];
        else if (Type == WeightType.E2M1) for (var k = 0; k < steps / 2; k++) to[k * Width + lane] = numbers[k];
        else
        {
            var target = (ushort*)to + Paired(lane);
            for (var k = 0; k < steps; k++) target[k * Width] = ((ushort*)numbers)[k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Paired(int lane) => lane < Width / 2 ? 2 * lane : 2 * lane - Width + 1;

    private byte* Convert(byte* from, WeightType sourceType, byte* to, int count)
    {
        if (sourceType.IsScaled() || Type.IsScaled()) throw new NotSupportedException($"{sourceType} numbers cannot become {Type} ones without their factors.");
        for (var i = 0; i < count; i++)
        {
            var value = sourceType switch
            {
                WeightType.F32 => ((float*)from)[i],
                WeightType.F16 => (float)((Half*)from)[i],
                _ => BFloat16.ToSingle(((ushort*)from)[i]),
            };
            switch (Type)
            {
                case WeightType.F32: ((float*)to)[i] = value; break;
                case WeightType.F16: ((Half*)to)[i] = (Half)value; break;
                default: ((ushort*)to)[i] = BFloat16.FromSingle(value); break;
            }
        }
        return to;
    }
}
