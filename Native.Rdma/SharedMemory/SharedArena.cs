using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>
/// Zeroed memory that other processes of the same user can map: regions inside it are read by peers on this machine with one
/// copy and without our processor. An anonymous file of the kernel, so nothing is left behind however the process ends,
/// sealed against shrinking, so a mapping never faults. Dispose only after its regions are unregistered.
/// </summary>
public sealed class SharedArena : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly List<SharedArena> Arenas = [];

    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private int _disposed;

    private SharedArena(SafeFileHandle file, MemoryMappedFile mapping, MemoryMappedViewAccessor view, Guid name, long length)
    {
        (_file, _mapping, _view, Name, Length) = (file, mapping, view, name, length);
        Address = view.SafeMemoryMappedViewHandle.DangerousGetHandle();
    }

    /// <summary>True where <see cref="Allocate"/> works.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    public nint Address { get; }
    /// <summary>Bytes.</summary>
    public long Length { get; }

    internal Guid Name { get; }
    internal int FileDescriptor => (int)_file.DangerousGetHandle();

    /// <exception cref="PlatformNotSupportedException">Not on Linux.</exception>
    /// <exception cref="IOException">The system refuses.</exception>
    public static SharedArena Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        if (!IsSupported) throw new PlatformNotSupportedException("shared KV memory needs Linux");
        var name = Guid.NewGuid();
        SafeFileHandle? file = null;
        MemoryMappedFile? mapping = null;
        try
        {
            file = new(Libc.memfd_create(FileName(name), Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), ownsHandle: true);
            if (file.IsInvalid) throw new IOException($"memfd_create failed: {Marshal.GetLastPInvokeErrorMessage()}");
            RandomAccess.SetLength(file, length);
            if (Libc.fcntl(file, Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL) < 0)
                throw new IOException($"sealing shared memory failed: {Marshal.GetLastPInvokeErrorMessage()}");
            mapping = MemoryMappedFile.CreateFromFile(file, mapName: null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            var arena = new SharedArena(file, mapping, mapping.CreateViewAccessor(0, length), name, length);
            lock (Gate) Arenas.Add(arena);
            return arena;
        }
        catch
        {
            mapping?.Dispose();
            file?.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Allocate"/>; null where there is no such memory: another system, or one that forbids it.</summary>
    public static SharedArena? TryAllocate(long length)
    {
        if (!IsSupported) return null;
        try { return Allocate(length); }
        catch (IOException) { return null; }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        lock (Gate) Arenas.Remove(this);
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
    }

    /// <summary>The arena of this process that holds <c>[address, address + length)</c>.</summary>
    internal static SharedArena? Find(nint address, ulong length)
    {
        lock (Gate)
        {
            return Arenas.Find(a => address >= a.Address && (ulong)(address - a.Address) <= (ulong)a.Length
                && length <= (ulong)a.Length - (ulong)(address - a.Address));
        }
    }

    /// <summary>As the kernel shows it: a reader recognises by it that it opened the right file.</summary>
    internal static string FileName(Guid name) => $"nanoaspire-{name:N}";
}
