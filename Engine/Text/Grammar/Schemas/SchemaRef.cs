using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>A schema at its place in the document.</summary>
/// <param name="Value">An object or a boolean.</param>
/// <param name="Path">JSON path from the root.</param>
/// <param name="Flat">Only its own keywords count: its allOf, anyOf, oneOf and $ref are being looked at elsewhere.</param>
internal readonly record struct SchemaRef(JsonElement Value, string Path, bool Flat = false)
{
    public string Key => Flat ? Path + "!" : Path;

    public SchemaRef Member(string name, JsonElement value) => new(value, $"{Path}.{name}");
    public SchemaRef Element(string name, int index, JsonElement value) => new(value, $"{Path}.{name}[{index}]");
}
