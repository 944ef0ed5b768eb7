using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace NanoAspire.Router.Requests;

/// <summary>
/// A JSON object kept as the bytes that came in, with the places of its top-level members: members are replaced by splicing,
/// so everything else reaches the engine byte for byte.
/// </summary>
internal sealed class JsonObjectBytes
{
    private readonly List<Member> _members;

    private JsonObjectBytes(ReadOnlyMemory<byte> bytes, List<Member> members)
    {
        Bytes = bytes;
        _members = members;
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <exception cref="JsonException">Not JSON, not an object, nested too deep, or followed by something else.</exception>
    public static JsonObjectBytes Parse(ReadOnlyMemory<byte> bytes, int maxDepth)
    {
        if (!Utf8.IsValid(bytes.Span)) throw new JsonException("it is not UTF-8");
        var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = maxDepth });
        var members = new List<Member>();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("the body must be a JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var name = reader.GetString()!;
            reader.Read();
            var valueStart = (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            reader.Skip();
            members.Add(new Member(name, start, valueStart, (int)reader.BytesConsumed, kind));
        }
        if (reader.Read()) throw new JsonException("there is text after the JSON object");
        return new JsonObjectBytes(bytes, members);
    }

    /// <summary>Whether a member is there and not null.</summary>
    public bool Has(string name) => Find(name) is { Kind: not JsonTokenType.Null };

    public bool Contains(string name) => Find(name) is not null;

    /// <summary>The JSON text of a member; empty when it is missing.</summary>
    public ReadOnlyMemory<byte> Value(string name) => Find(name) is { } member ? Bytes[member.ValueStart..member.End] : default;

    public JsonTokenType KindOf(string name) => Find(name)?.Kind ?? JsonTokenType.None;

    public string? String(string name) => KindOf(name) is JsonTokenType.String ? Reader(name).GetString() : null;

    public bool? Boolean(string name) => KindOf(name) switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => null,
    };

    public long? Integer(string name) => KindOf(name) is JsonTokenType.Number && Reader(name).TryGetInt64(out var value) ? value : null;

    /// <summary>A reader that stands on the member's value.</summary>
    public Utf8JsonReader Reader(string name)
    {
        var reader = new Utf8JsonReader(Value(name).Span);
        reader.Read();
        return reader;
    }

    /// <summary>The object with some members dropped and others, given as JSON text, added at the end.</summary>
    public byte[] With(IEnumerable<string> without, params ReadOnlySpan<(string Name, string Json)> added)
    {
        var output = new ArrayBufferWriter<byte>(Bytes.Length + 256);
        var dropped = without.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, _) in added) dropped.Add(name);
        output.Write("{"u8);
        var first = true;
        foreach (var member in _members)
        {
            if (dropped.Contains(member.Name)) continue;
            if (!first) output.Write(","u8);
            output.Write(Bytes.Span[member.Start..member.End]);
            first = false;
        }
        foreach (var (name, json) in added)
        {
            if (!first) output.Write(","u8);
            output.Write("\""u8);
            Encoding.UTF8.GetBytes(name, output);
            output.Write("\":"u8);
            Encoding.UTF8.GetBytes(json, output);
            first = false;
        }
        output.Write("}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>As most readers do: of members with the same name, the last counts.</summary>
    private Member? Find(string name) => _members.FindLast(member => member.Name == name);

    private sealed record Member(string Name, int Start, int ValueStart, int End, JsonTokenType Kind);
}
