using System.Buffers.Binary;
using System.Text;

namespace NanoAspire.ServiceDefaults.Tests.Telemetry;

/// <summary>A protobuf message as its fields: enough to look into what the exporter sent without knowing generated types.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Number, ulong Scalar, byte[]? Bytes)> _fields = [];

    public ProtoMessage(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var tag = Varint(ref bytes);
            switch (tag & 7)
            {
                case 0: _fields.Add(((int)(tag >> 3), Varint(ref bytes), null)); break;
                case 1: _fields.Add(((int)(tag >> 3), BinaryPrimitives.ReadUInt64LittleEndian(bytes), null)); bytes = bytes[8..]; break;
                case 5: _fields.Add(((int)(tag >> 3), BinaryPrimitives.ReadUInt32LittleEndian(bytes), null)); bytes = bytes[4..]; break;
                case 2:
                    var length = (int)Varint(ref bytes);
                    _fields.Add(((int)(tag >> 3), 0, bytes[..length].ToArray()));
                    bytes = bytes[length..];
                    break;
                default: throw new InvalidDataException($"wire type {tag & 7}");
            }
        }
    }

    public IEnumerable<ProtoMessage> Messages(int number) => Of(number).Select(field => new ProtoMessage(field.Bytes));

    public ProtoMessage Message(int number) => Messages(number).Single();

    public byte[] Bytes(int number) => Of(number).Select(field => field.Bytes!).FirstOrDefault() ?? [];

    public string Text(int number) => Encoding.UTF8.GetString(Bytes(number));

    public string Hex(int number) => Convert.ToHexStringLower(Bytes(number));

    public ulong Scalar(int number) => Of(number).Select(field => field.Scalar).FirstOrDefault();

    /// <summary>KeyValue messages in field <paramref name="number"/>, scalar values only.</summary>
    public Dictionary<string, string> Attributes(int number) => Messages(number).ToDictionary(
        pair => pair.Text(1),
        pair => pair.Messages(2).Select(value => value.Bytes(1).Length > 0 ? value.Text(1) : value.Scalar(3).ToString()).FirstOrDefault() ?? "");

    private IEnumerable<(int Number, ulong Scalar, byte[]? Bytes)> Of(int number) => _fields.Where(field => field.Number == number);

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
    }
}
