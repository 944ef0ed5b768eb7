using System.Buffers.Binary;

namespace NanoAspire.Native.Rdma.SharedMemory;

/// <summary>
/// Where a region can be mapped, as the source tells it to a reader: <c>[Offset, Offset + Length)</c> of an open file of the
/// source. Only a reader on the machine with the same boot id may try; the arena's name proves that process ids mean the same
/// on both sides. 56 bytes, little-endian.
/// </summary>
internal readonly record struct RegionDescription(int ProcessId, int FileDescriptor, Guid BootId, Guid ArenaName, ulong Offset, ulong Length)
{
    public const int Bytes = 56;

    private static readonly Guid ThisBoot = ReadBootId();

    /// <summary>False when the system does not say; then nothing is mapped.</summary>
    public bool IsOnThisMachine => BootId == ThisBoot && ThisBoot != Guid.Empty;

    /// <summary>Null when the region does not lie in a <see cref="SharedArena"/>.</summary>
    public static RegionDescription? Of(MemoryRegion region) =>
        SharedArena.Find(region.Address, region.Length) is { } arena
            ? new(Environment.ProcessId, arena.FileDescriptor, ThisBoot, arena.Name, (ulong)(region.Address - arena.Address), region.Length)
            : null;

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        Write(bytes);
        return bytes;
    }

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, ProcessId);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], FileDescriptor);
        BootId.TryWriteBytes(to[8..]);
        ArenaName.TryWriteBytes(to[24..]);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], Length);
    }

    public static RegionDescription Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt32LittleEndian(from),
        BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
        new(from[8..24]),
        new(from[24..40]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[40..]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[48..]));

    private static Guid ReadBootId()
    {
        try { return Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id")); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException) { return Guid.Empty; }
    }
}
