using System.Runtime.InteropServices;

namespace NanoAspire.Native.Rdma.Cuda;

/// <summary>
/// Asks the CUDA driver what a pointer points to. Only a driver that the process has loaded can have given out device memory, so none is
/// ever loaded for the question.
/// </summary>
internal static unsafe partial class CudaPointers
{
    private const string Driver = "libcuda.so.1";
    private const int Lazy = 1, NoLoad = 4;
    private const int MemoryTypeAttribute = 2, IsManagedAttribute = 8;
    private const int Success = 0, DeviceMemory = 2;

    /// <summary>What a pointer is; host memory where nothing says otherwise.</summary>
    public static MemoryKind KindOf(nint address) => KindOf(address, Query());

    /// <param name="address">The pointer.</param>
    /// <param name="query">(pointer, attribute) to its value; null when the driver does not know the pointer. Null: there is no driver.</param>
    internal static MemoryKind KindOf(nint address, Func<nint, int, int?>? query)
    {
        if (query?.Invoke(address, MemoryTypeAttribute) is not { } type) return MemoryKind.Host;
        if (query(address, IsManagedAttribute) is > 0) return MemoryKind.CudaManaged;
        return type == DeviceMemory ? MemoryKind.Cuda : MemoryKind.Host;     // pinned host memory is known to the driver as well
    }

    private static Func<nint, int, int?>? Query()
    {
        if (!OperatingSystem.IsLinux()) return null;
        var library = dlopen(Driver, Lazy | NoLoad);
        if (library == 0) return null;
        if (!NativeLibrary.TryGetExport(library, "cuPointerGetAttribute", out var function)) return null;
        return (address, attribute) =>
        {
            ulong value = 0;                                                 // wide enough for every attribute
            return ((delegate* unmanaged[Cdecl]<void*, int, ulong, int>)function)(&value, attribute, (ulong)address) == Success ? (int)value : null;
        };
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string name, int flags);
}
