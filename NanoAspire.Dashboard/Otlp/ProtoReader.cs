using System.Buffers.Binary;
using System.Text;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>
/// Reads one protobuf message field by field over the received bytes. Usage: <c>while (reader.Next())</c>, look at
/// <see cref="Field"/>, read exactly one value or leave it: what is not read is skipped.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private WireType _wire = WireType.None;

    /// <summary>Number of the field that stands next.</summary>
    public int Field { get; private set; }

    /// <exception cref="OtlpFormatException">The bytes are no message.</exception>
    public bool Next()
    {
        if (_wire != WireType.None) Skip();
        if (_rest.IsEmpty) return false;
        var tag = Varint();
        if (tag >> 3 is 0 or > int.MaxValue) throw new OtlpFormatException("invalid field number");
        Field = (int)(tag >> 3);
        _wire = (tag & 7) switch { 0 => WireType.Varint, 1 => WireType.Fixed64, 2 => WireType.Bytes, 5 => WireType.Fixed32, _ => throw new OtlpFormatException("invalid wire type") };
        return true;
    }

    public ulong UInt64() { Take(WireType.Varint); return Varint(); }

    public long Int64() => (long)UInt64();

    public int Int32() => (int)UInt64();

    public bool Bool() => UInt64() != 0;

    public ulong Fixed64() { Take(WireType.Fixed64); return BinaryPrimitives.ReadUInt64LittleEndian(Cut(8)); }

    public double Double() => BitConverter.UInt64BitsToDouble(Fixed64());

    public ReadOnlySpan<byte> Bytes()
    {
        Take(WireType.Bytes);
        var length = Varint();
        if (length > (ulong)_rest.Length) throw new OtlpFormatException("a field is longer than its message");
        return Cut((int)length);
    }

    public ProtoReader Message() => new(Bytes());

    /// <summary>Invalid UTF-8 becomes replacement characters; what exceeds <paramref name="maxLength"/> characters is cut off.</summary>
    public string Text(int maxLength)
    {
        var bytes = Bytes();
        // A character takes at least a byte, so the cut cannot lose what would have fitted; four bytes a character at most.
        if (bytes.Length > (long)maxLength * 4) bytes = bytes[..(maxLength * 4)];
        var text = Encoding.UTF8.GetString(bytes);
        return text.Length <= maxLength ? text : text[..maxLength];
    }

    /// <summary>A repeated fixed64 or double field, packed or not: this occurrence's values.</summary>
    public void Fixed64s(List<ulong> into)
    {
        if (_wire == WireType.Fixed64) { into.Add(Fixed64()); return; }
        var packed = Bytes();
        if (packed.Length % 8 != 0) throw new OtlpFormatException("a packed field has a broken length");
        for (; !packed.IsEmpty; packed = packed[8..]) into.Add(BinaryPrimitives.ReadUInt64LittleEndian(packed));
    }

    private void Take(WireType expected)
    {
        if (_wire != expected) throw new OtlpFormatException($"field {Field} has an unexpected wire type");
        _wire = WireType.None;
    }

    private void Skip()
    {
        switch (_wire)
        {
            case WireType.Varint: UInt64(); break;
            case WireType.Fixed64: Fixed64(); break;
            case WireType.Bytes: Bytes(); break;
            default: Take(WireType.Fixed32); Cut(4); break;
        }
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = Cut(1)[0];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
        throw new OtlpFormatException("a number is too long");
    }

    private ReadOnlySpan<byte> Cut(int length)
    {
        if (length > _rest.Length) throw new OtlpFormatException("the message is cut off");
        var cut = _rest[..length];
        _rest = _rest[length..];
        return cut;
    }

    private enum WireType { None, Varint, Fixed64, Bytes, Fixed32 }
}
