using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>A region of another process, mapped read-only into ours. The mapping keeps the memory alive, also beyond its owner.</summary>
internal sealed class MappedSource : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;

    private MappedSource(SafeFileHandle file, MemoryMappedFile mapping, MemoryMappedViewAccessor view, RegionDescription region)
    {
        (_file, _mapping, _view) = (file, mapping, view);
        Address = view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)region.Offset;
        Length = region.Length;
    }

    public nint Address { get; }
    public ulong Length { get; }

    /// <returns>Null, and why, when the region cannot be mapped from here: another machine, user or process namespace.</returns>
    public static MappedSource? TryOpen(RegionDescription region, out string? reason)
    {
        reason = null;
        if (!region.IsOnThisMachine)
        {
            reason = "the source is on another machine";
            return null;
        }
        SafeFileHandle? file = null;
        MemoryMappedFile? mapping = null;
        try
        {
            // ReadWrite sharing: opening must not try to lock the file that its owner has open.
            file = File.OpenHandle($"/proc/{region.ProcessId}/fd/{region.FileDescriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            reason = Check(file, region);
            if (reason is null)
            {
                var length = checked((long)(region.Offset + region.Length));
                mapping = MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
                var source = new MappedSource(file, mapping, mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), region);
                (file, mapping) = (null, null);
                return source;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            reason = e.Message;
        }
        finally
        {
            mapping?.Dispose();
            file?.Dispose();
        }
        return null;
    }

    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
    }

    private static string? Check(SafeFileHandle file, RegionDescription region)
    {
        var target = new FileInfo($"/proc/self/fd/{(int)file.DangerousGetHandle()}").LinkTarget ?? "";
        if (!target.StartsWith($"/memfd:{SharedArena.FileName(region.ArenaName)}", StringComparison.Ordinal)) return "process ids mean something else over there";
        if ((Libc.fcntl(file, Libc.F_GET_SEALS, 0) & Libc.F_SEAL_SHRINK) == 0) return "the file could shrink under the mapping";
        var length = (ulong)RandomAccess.GetLength(file);
        return region.Offset <= length && region.Length <= length - region.Offset ? null : "the region is longer than its file";
    }
}
