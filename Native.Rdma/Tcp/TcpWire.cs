using System.Buffers.Binary;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>
/// The frames, little-endian. Request: <see cref="RequestHeader"/> then RangeCount × {u64 offset, u64 length}, then for some the bytes.
/// Reply: <see cref="ReplyHeader"/> then, after <see cref="TransferCode.Ok"/> to a read, the bytes of all ranges in order.
/// </summary>
internal static class TcpWire
{
    public const uint Magic = 0x5254_414E; // "NATR"
    public const byte Version = 2;
    public const int RequestHeaderBytes = 40;
    public const int RangeBytes = 16;
    public const int ReplyHeaderBytes = 32;
    /// <summary>A request must fit into socket buffers while the reply before it is still being sent.</summary>
    public const int MaxFrameRanges = 256;
    /// <summary>A pin's reply is a few bytes, and every pin a round trip.</summary>
    public const int MaxPinRanges = 4096;
    public const int MaxFrameBytes = 64 << 20;
    /// <summary>A pin moves nothing over the wire, so it may cover more.</summary>
    public const int MaxPinnedBytes = 1 << 30;
    /// <summary>Pins of one connection at a time: some being copied, some ahead.</summary>
    public const int MaxPins = 16;
    /// <summary>What a source tells about a region.</summary>
    public const int MaxDescriptionBytes = 16 << 10;
    /// <summary>A device whose source is asked to stand still gives up after it, whatever the reader does.</summary>
    public static readonly TimeSpan MaxHold = TimeSpan.FromSeconds(10);
}

internal enum TcpOp : byte
{
    Read = 1,
    /// <summary>Answered with <see cref="TransferCode.Ok"/> and no bytes.</summary>
    Ping = 2,
    /// <summary>Answered with what a reader needs for it, or with no bytes when the region cannot be reached so.</summary>
    Describe = 3,
    /// <summary>Checks the ranges as a read does and keeps them pinned until <see cref="Unpin"/> or the end of the connection.</summary>
    Pin = 4,
    /// <summary>Ends the pin that the frame named by the token made.</summary>
    Unpin = 5,
    /// <summary>The bytes of all ranges follow the request.</summary>
    Write = 6,
    /// <summary>As <see cref="Pin"/>, to be written; has no deadline of its own.</summary>
    PinToWrite = 7,
    /// <summary>Tells the owner of a region that a write is complete; the value stands in the offset of the only range.</summary>
    Notify = 8,
    /// <summary>A message: the token is its tag, the length of the only range its size; its bytes follow.</summary>
    Send = 9,
    /// <summary>Asks the source's worker of the path in the token to stand still until <see cref="Resume"/>, to see whether reads need it.</summary>
    Hold = 10,
    Resume = 11,
}

/// <summary>The token of <see cref="TcpOp.Describe"/>: the kind of path, and whether it is to be written.</summary>
internal static class DescribeToken
{
    private const ulong Writes = 0x100;

    public static ulong Of(byte kind, bool writes) => kind | (writes ? Writes : 0);

    public static (ulong Kind, RegionAccess Access) Read(ulong token) =>
        (token & ~Writes, (token & Writes) == 0 ? RegionAccess.PeersRead : RegionAccess.PeersWrite);
}

internal readonly record struct RequestHeader(TcpOp Op, int RangeCount, ulong Incarnation, RegionId Region, ulong Token, ulong FrameId)
{
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, TcpWire.Magic);
        to[4] = TcpWire.Version;
        to[5] = (byte)Op;
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], (ushort)RangeCount);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Incarnation);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], Region.Slot);
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], Region.Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], Token);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], FrameId);
    }

    /// <summary>False when the bytes are not a request of this version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out RequestHeader header)
    {
        header = new(
            (TcpOp)from[5],
            BinaryPrimitives.ReadUInt16LittleEndian(from[6..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
            new(BinaryPrimitives.ReadUInt32LittleEndian(from[16..]), BinaryPrimitives.ReadUInt32LittleEndian(from[20..])),
            BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[32..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(from) == TcpWire.Magic
            && from[4] == TcpWire.Version
            && header.RangeCount <= (header.Op is TcpOp.Pin or TcpOp.PinToWrite ? TcpWire.MaxPinRanges : TcpWire.MaxFrameRanges)
            && header.Op switch
            {
                TcpOp.Read or TcpOp.Pin or TcpOp.Write or TcpOp.PinToWrite => header.RangeCount > 0,
                TcpOp.Notify or TcpOp.Send => header.RangeCount == 1,
                TcpOp.Ping or TcpOp.Describe or TcpOp.Unpin or TcpOp.Hold or TcpOp.Resume => header.RangeCount == 0,
                _ => false,
            };
    }
}

internal readonly record struct ReplyHeader(TransferCode Code, ulong FrameId, ulong PayloadBytes)
{
    public void Write(Span<byte> to)
    {
        to[..TcpWire.ReplyHeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, TcpWire.Magic);
        to[4] = TcpWire.Version;
        to[5] = (byte)Code;
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], FrameId);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], PayloadBytes);
    }

    /// <summary>False when the bytes are not a reply of this version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out ReplyHeader header)
    {
        header = new(
            (TransferCode)from[5],
            BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[16..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(from) == TcpWire.Magic && from[4] == TcpWire.Version;
    }
}
