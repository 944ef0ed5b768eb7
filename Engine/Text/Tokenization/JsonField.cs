using System.Text.Json;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>A JSON value that knows where it stands, so that every complaint names its field. An absent field reads as null.</summary>
internal readonly struct JsonField(string path, JsonElement element)
{
    public string Path => path;

    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;
    public bool IsString => element.ValueKind == JsonValueKind.String;
    public bool IsArray => element.ValueKind == JsonValueKind.Array;
    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public JsonField this[string name] => new(
        path.EndsWith(": ", StringComparison.Ordinal) ? path + name : $"{path}.{name}",
        Expect(JsonValueKind.Object, "an object").TryGetProperty(name, out var value) ? value : default);

    /// <exception cref="TokenizerException">The file is absent or not JSON.</exception>
    public static JsonField Read(string file, out JsonDocument document)
    {
        var name = System.IO.Path.GetFileName(file);
        try
        {
            document = JsonDocument.Parse(File.ReadAllBytes(file));
        }
        catch (JsonException e)
        {
            throw new TokenizerException($"{name}: not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{name}: cannot be read: {e.Message}", e);
        }
        return new JsonField(name + ": ", document.RootElement);
    }

    public string String()
    {
        try
        {
            return Expect(JsonValueKind.String, "a string").GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerException($"{path} has half a surrogate pair", e);
        }
    }

    public string? StringOrNull() => IsNull ? null : String();

    public int Int() => Expect(JsonValueKind.Number, "a number").TryGetInt32(out var value) ? value : throw Error("is not a 32-bit integer");

    public bool Bool(bool absent) => IsNull ? absent : element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Error("is not a boolean"),
    };

    public bool? BoolOrNull() => IsNull ? null : Bool(false);

    public double? NumberOrNull() => IsNull ? null : Expect(JsonValueKind.Number, "a number").GetDouble();

    public char Char() => String() is [var c] ? c : throw Error("is not a single character");

    public IEnumerable<JsonField> Items()
    {
        Expect(JsonValueKind.Array, "an array");
        return Enumerate(path, element);

        static IEnumerable<JsonField> Enumerate(string path, JsonElement element)
        {
            var i = 0;
            foreach (var item in element.EnumerateArray()) yield return new($"{path}[{i++}]", item);
        }
    }

    /// <summary>The members of an object, without building a path for each: vocabularies are large.</summary>
    public IEnumerable<(string Name, JsonElement Value)> Members()
    {
        foreach (var member in Expect(JsonValueKind.Object, "an object").EnumerateObject())
        {
            string name;
            try
            {
                name = member.Name;
            }
            catch (InvalidOperationException e)
            {
                throw new TokenizerException($"{path} has a name with half a surrogate pair", e);
            }
            yield return (name, member.Value);
        }
    }

    public TokenizerException Error(string complaint) => new($"{path}{(path.EndsWith(": ", StringComparison.Ordinal) ? "the root" : "")} {complaint}");

    private JsonElement Expect(JsonValueKind kind, string what) =>
        element.ValueKind == kind ? element : throw Error(element.ValueKind == JsonValueKind.Undefined ? "is missing" : $"is not {what}");
}
