namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>
/// Zeroed memory from UCX: regions inside it are read by peers on this machine without our processor, also by versions that can
/// do so with no other memory (before 1.16). Dispose only after its regions are unregistered.
/// </summary>
public sealed class UcxArena : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly List<UcxArena> Arenas = [];

    private int _disposed;

    private UcxArena(UcpMemoryRegion memory, long length) => (Memory, Address, Length) = (memory, memory.Address(), length);

    public nint Address { get; }
    /// <summary>Bytes.</summary>
    public long Length { get; }

    internal UcpMemoryRegion Memory { get; }

    /// <summary>Null, and why, where there is no UCX or it has no such memory.</summary>
    public static UcxArena? TryAllocate(long length, out string? reason)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        reason = UcxLibrary.Reason;
        if (reason is not null) return null;
        try
        {
            var arena = new UcxArena(UcpMemoryRegion.Allocate(UcpContext.Process, (nuint)length), length);
            unsafe { System.Runtime.InteropServices.NativeMemory.Clear((void*)arena.Address, (nuint)length); }
            lock (Gate) Arenas.Add(arena);
            return arena;
        }
        catch (UcxException e)
        {
            reason = e.Message;
            return null;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        lock (Gate) Arenas.Remove(this);
        Memory.Dispose();
    }

    /// <summary>The arena that holds <c>[address, address + length)</c>.</summary>
    internal static UcxArena? Find(nint address, ulong length)
    {
        lock (Gate)
        {
            return Arenas.Find(a => address >= a.Address && (ulong)(address - a.Address) <= (ulong)a.Length
                && length <= (ulong)a.Length - (ulong)(address - a.Address));
        }
    }
}
