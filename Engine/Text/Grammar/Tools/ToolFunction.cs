using System.Text.Json;

namespace NanoAspire.Engine.Text.Grammar;

/// <summary>A function that the model may call.</summary>
/// <param name="Name">Its name: letters, digits, <c>_ . -</c>.</param>
/// <param name="Parameters">JSON Schema of its arguments; null for none declared (any object).</param>
/// <param name="Strict">The arguments must satisfy the schema. Otherwise a schema that cannot be compiled counts as "any object".</param>
public sealed record ToolFunction(string Name, JsonElement? Parameters, bool Strict);
