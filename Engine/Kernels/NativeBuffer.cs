using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Kernels;

/// <summary>Zeroed native memory on a page boundary. The system commits a page when it is first written, so a large buffer costs what is used of it.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private const int Alignment = 4096;

    public NativeBuffer(long bytes) : base(invalidHandleValue: 0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)bytes + Alignment));
        Address = (byte*)((handle + Alignment - 1) & ~(nint)(Alignment - 1));
        GC.AddMemoryPressure(Math.Max(1, bytes));
    }

    public byte* Address { get; }
    public long Bytes { get; }
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        GC.RemoveMemoryPressure(Math.Max(1, Bytes));
        return true;
    }
}
