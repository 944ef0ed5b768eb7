namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Something that a sequence keeps once, whatever its length: a recurrent state, the last inputs of a convolution. float32, [rows, columns].
/// A state slot is its planes one after the other.
/// </summary>
/// <param name="Name">What it is; part of the layout digest.</param>
/// <param name="Rows">Outer dimension.</param>
/// <param name="Columns">Elements a row.</param>
internal sealed record StatePlane(string Name, int Rows, int Columns)
{
    private const int Alignment = 64;

    public long Bytes => ((long)Rows * Columns * sizeof(float) + Alignment - 1) / Alignment * Alignment;
}

/// <summary>A state plane in the pool.</summary>
/// <param name="Base">Start of slot 0.</param>
/// <param name="SlotBytes">From one slot to the next.</param>
/// <param name="Offset">Of the plane within a slot.</param>
/// <param name="Plane">Its shape.</param>
internal readonly record struct LayerState(nint Base, long SlotBytes, long Offset, StatePlane Plane)
{
    public unsafe float* Of(int slot) => (float*)(Base + (nint)(slot * SlotBytes + Offset));
}
