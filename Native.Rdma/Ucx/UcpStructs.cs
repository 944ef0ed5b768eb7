using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Ucx;

// Layouts of UCX 1.13 on 64-bit Linux; later versions only append. Fields that we never set are left out: a field without its
// bit in the mask is not read.

[StructLayout(LayoutKind.Explicit, Size = 88)]
internal struct UcpParams
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(8)] public ulong Features;
    [FieldOffset(48)] public int MtWorkersShared;

    public const ulong MaskFeatures = 1, MaskMtWorkersShared = 32;
    public const ulong FeatureRma = 2, FeatureWakeup = 16, FeatureAm = 64;
}

[StructLayout(LayoutKind.Explicit, Size = 200)]
internal struct UcpWorkerParams
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(8)] public int ThreadMode;

    public const ulong MaskThreadMode = 1;
    public const int ThreadSerialized = 1;
}

[StructLayout(LayoutKind.Explicit, Size = 104)]
internal struct UcpEpParams
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(8)] public nint Address;
    [FieldOffset(16)] public int ErrorMode;
    [FieldOffset(24)] public nint ErrorCallback;
    [FieldOffset(32)] public nint ErrorArgument;

    public const ulong MaskRemoteAddress = 1, MaskErrorMode = 2, MaskErrorHandler = 4;
    public const int ErrorNone = 0, ErrorPeer = 1;
}

[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct UcpMemMapParams
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(8)] public nint Address;
    [FieldOffset(16)] public nuint Length;
    [FieldOffset(24)] public uint Flags;
    [FieldOffset(28)] public uint Protection;
    [FieldOffset(32)] public int MemoryType;

    public const ulong MaskAddress = 1, MaskLength = 2, MaskFlags = 4, MaskMemoryType = 16;
    public const uint FlagAllocate = 2;
}

[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct UcpMemAttr
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(8)] public nint Address;
    [FieldOffset(16)] public nuint Length;
    [FieldOffset(24)] public int MemoryType;

    public const ulong MaskAddress = 1, MaskLength = 2;
}

[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct UcpRequestParam
{
    [FieldOffset(0)] public uint AttributeMask;
    [FieldOffset(4)] public uint Flags;
    [FieldOffset(16)] public nint Callback;
    [FieldOffset(32)] public nint UserData;
    [FieldOffset(64)] public nint MemoryHandle;

    public const uint MaskCallback = 2, MaskUserData = 4, MaskFlags = 16, MaskMemoryHandle = 256;
    public const uint FlagForceClose = 1;
}

[StructLayout(LayoutKind.Explicit, Size = 328)]
internal struct UcpEpAttr
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(296)] public nint TransportEntries;
    [FieldOffset(304)] public uint TransportCount;
    [FieldOffset(312)] public nuint TransportEntrySize;

    public const ulong MaskTransports = 8;
}

[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct UcpContextAttr
{
    [FieldOffset(0)] public ulong FieldMask;
    [FieldOffset(24)] public ulong MemoryTypes;

    public const ulong MaskMemoryTypes = 4;
}

[StructLayout(LayoutKind.Sequential)]
internal struct UcpTransportEntry
{
    public nint TransportName;
    public nint DeviceName;
}
