using System.Buffers.Binary;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>How a region is reached by UCX, as its owner tells: two packed versions, three lengths, the address, then worker address and key.</summary>
internal sealed record UcxDescription(Version Library, ulong Address, ulong Length, byte[] WorkerAddress, byte[] Key)
{
    private const byte Format = 1;
    private const int HeaderBytes = 32;

    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderBytes + WorkerAddress.Length + Key.Length];
        bytes[0] = Format;
        bytes[1] = (byte)Library.Major;
        bytes[2] = (byte)Library.Minor;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), WorkerAddress.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Key.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Address);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Length);
        WorkerAddress.CopyTo(bytes, HeaderBytes);
        Key.CopyTo(bytes, HeaderBytes + WorkerAddress.Length);
        return bytes;
    }

    /// <exception cref="TransferException">It is something else: UCX itself would trust the bytes.</exception>
    public static UcxDescription Read(ReadOnlySpan<byte> from)
    {
        if (from.Length < HeaderBytes || from[0] != Format) throw Malformed();
        var (address, key) = (BinaryPrimitives.ReadInt32LittleEndian(from[8..]), BinaryPrimitives.ReadInt32LittleEndian(from[12..]));
        if (address <= 0 || key <= 0 || (long)HeaderBytes + address + key != from.Length) throw Malformed();
        return new(
            new(from[1], from[2]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
            from.Slice(HeaderBytes, address).ToArray(),
            from.Slice(HeaderBytes + address, key).ToArray());
    }

    private static TransferException Malformed() => new(TransferCode.Protocol, "the peer's UCX description cannot be read");
}
