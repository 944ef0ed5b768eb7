using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using NanoAspire.Native.Rdma.OneSided;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>A region of another process, mapped into ours, read-only unless it is to be written. The mapping keeps the memory alive, also beyond its owner.</summary>
internal sealed class MappedMemory : IRemoteMemory
{
    /// <summary>Copied between two looks at the cancellation token.</summary>
    private const int PieceBytes = 1 << 20;
    /// <summary>A copy on one more thread pays from here on.</summary>
    private const ulong BytesPerThread = 4 << 20;

    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _copyThreads;

    private MappedMemory(SafeFileHandle file, MemoryMappedFile mapping, MemoryMappedViewAccessor view, RegionDescription region, int copyThreads)
    {
        (_file, _mapping, _view, _copyThreads) = (file, mapping, view, copyThreads);
        Address = view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)region.Offset;
        Length = region.Length;
    }

    public nint Address { get; }
    public ulong Length { get; }
    public bool NeedsProof => false;
    public bool Overlaps => false;

    /// <returns>Null, and why, when the region cannot be mapped from here: another machine, user or process namespace.</returns>
    public static MappedMemory? TryOpen(RegionDescription region, bool writable, int copyThreads, out string? reason)
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
            file = File.OpenHandle($"/proc/{region.ProcessId}/fd/{region.FileDescriptor}", FileMode.Open, writable ? FileAccess.ReadWrite : FileAccess.Read, FileShare.ReadWrite);
            reason = Check(file, region);
            if (reason is null)
            {
                var length = checked((long)(region.Offset + region.Length));
                var access = writable ? MemoryMappedFileAccess.ReadWrite : MemoryMappedFileAccess.Read;
                mapping = MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, access, HandleInheritability.None, leaveOpen: true);
                var source = new MappedMemory(file, mapping, mapping.CreateViewAccessor(0, length, access), region, copyThreads);
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

    public Task CopyAsync(TransferPlan plan, TransferFrame frame, bool writes, CancellationToken cancellationToken)
    {
        var threads = (int)Math.Clamp(frame.Bytes / BytesPerThread, 1, (ulong)_copyThreads);
        var streams = StreamingCopy.IsWorthwhile(plan.Slice(frame.Start, frame.Count), writes);
        if (threads == 1) return Task.Run(() => CopyShare(plan, frame, writes, streams, 0, 1, cancellationToken), cancellationToken);
        var shares = new Task[threads];
        for (var i = 0; i < threads; i++)
        {
            var share = i;
            // No token: every share must have ended before the frame is given up, whether it had begun or not.
            shares[i] = Task.Run(() => CopyShare(plan, frame, writes, streams, share, threads, cancellationToken), CancellationToken.None);
        }
        return Task.WhenAll(shares);
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

    /// <summary>Copies the bytes of a frame that fall into share <paramref name="share"/> of <paramref name="shares"/> equal ones.</summary>
    private unsafe void CopyShare(TransferPlan plan, TransferFrame frame, bool writes, bool streams, int share, int shares, CancellationToken cancellationToken)
    {
        var from = frame.Bytes * (ulong)share / (ulong)shares;
        var until = frame.Bytes * (ulong)(share + 1) / (ulong)shares;
        var start = 0ul;
        try
        {
            foreach (ref readonly var range in plan.Slice(frame.Start, frame.Count))
            {
                if (start >= until) break;
                var end = start + range.Length;
                for (var at = Math.Max(from, start); at < Math.Min(until, end);)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var bytes = Math.Min(Math.Min(until, end) - at, PieceBytes);
                    var remote = (byte*)Address + range.RemoteOffset + (at - start);
                    var local = (byte*)range.LocalAddress + (at - start);
                    var (source, target) = writes ? ((nint)local, (nint)remote) : ((nint)remote, (nint)local);
                    if (streams) StreamingCopy.Copy((byte*)source, (byte*)target, bytes);
                    else Buffer.MemoryCopy((byte*)source, (byte*)target, bytes, bytes);
                    at += bytes;
                }
                start = end;
            }
        }
        finally
        {
            StreamingCopy.Fence();
        }
    }
}
