using System.Text.Json;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>
/// What the output must look like: OpenAI's <c>response_format</c> and <c>tool_choice</c>, vLLM's <c>structured_outputs</c> and its older
/// <c>guided_*</c> fields.
/// </summary>
internal static class ConstraintParser
{
    /// <summary>The constraint and the field it came in; nulls: any text. More than one of the fields is a mistake.</summary>
    public static (OutputConstraint? Constraint, string? Field) ParseFormat(JsonFields fields)
    {
        var found = new List<(string Name, OutputConstraint Constraint)>();
        if (ResponseFormat(fields) is { } format) found.Add(("response_format", format));
        foreach (var (name, kind) in ((string, string)[])[("guided_json", "json"), ("guided_regex", "regex"), ("guided_choice", "choice"), ("guided_grammar", "grammar")])
        {
            if (fields.Find(name) is { } value) found.Add((name, Structured(kind, value, name)));
        }
        if (fields.Find("structured_outputs") is { } outputs)
        {
            if (outputs.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong("structured_outputs", "an object");
            foreach (var member in outputs.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null && !IsDetail(member.Name)))
                found.Add(($"structured_outputs.{member.Name}", Structured(member.Name, member.Value, $"structured_outputs.{member.Name}")));
        }
        if (found.Count > 1) throw new BadRequestException($"'{found[0].Name}' and '{found[1].Name}' cannot be combined", found[1].Name);
        return found.Count == 0 ? default : (found[0].Constraint, found[0].Name);
    }

    /// <summary>Null: no tools, or none that may be called.</summary>
    public static ToolChoice? ParseToolChoice(JsonFields fields)
    {
        var choice = fields.Find("tool_choice");
        if (choice is { ValueKind: JsonValueKind.String } none && none.ValueEquals("none")) return null;
        var required = choice is { ValueKind: JsonValueKind.String } word && word.ValueEquals("required");
        var isNamed = choice is { ValueKind: JsonValueKind.Object };
        if (choice is not null && !required && !isNamed && !(choice is { ValueKind: JsonValueKind.String } auto && auto.ValueEquals("auto")))
            throw new BadRequestException("'tool_choice' must be \"none\", \"auto\", \"required\" or a function", "tool_choice");
        if (fields.Find("tools") is not { ValueKind: JsonValueKind.Array } tools || tools.GetArrayLength() == 0)
            return required || isNamed ? throw new BadRequestException("'tool_choice' asks for a call, but there are no 'tools'", "tool_choice") : null;

        var functions = tools.EnumerateArray().Select((tool, index) => Function(tool, $"tools[{index}]", strictly: required || isNamed)).OfType<ToolFunction>().ToArray();
        if (!isNamed) return functions.Length == 0 ? null : new(functions, required, Single: false);

        var name = NameOf(choice!.Value);
        var named = Array.Find(functions, function => function.Name == name) ?? throw new BadRequestException($"'tool_choice' names the function '{name}', which is not among 'tools'", "tool_choice");
        return new([named], Required: true, Single: true);
    }

    private static OutputConstraint? ResponseFormat(JsonFields fields)
    {
        if (fields.Find("response_format") is not { } format) return null;
        var type = format.ValueKind == JsonValueKind.Object ? new JsonFields(format).Find("type") : null;
        if (type is not { ValueKind: JsonValueKind.String }) throw new BadRequestException("'response_format' must be an object with a 'type'", "response_format");
        switch (type.Value.GetString())
        {
            case "text":
                return null;
            case "json_object":
                return new OutputConstraint.JsonObject();
            case "json_schema":
                var schema = new JsonFields(format).Find("json_schema");
                if (schema is not { ValueKind: JsonValueKind.Object }) throw new BadRequestException("'response_format.json_schema' is required", "response_format.json_schema");
                return new JsonFields(schema.Value).Find("schema") is { ValueKind: JsonValueKind.Object or JsonValueKind.True } root
                    ? new OutputConstraint.JsonSchema(root.Clone())
                    : throw new BadRequestException("'response_format.json_schema.schema' must be a schema", "response_format.json_schema.schema");
            default:
                throw new BadRequestException($"the response format '{type.Value.GetString()}' is not supported: text, json_object and json_schema are", "response_format", "unsupported_parameter");
        }
    }

    private static OutputConstraint Structured(string kind, JsonElement value, string name)
    {
        switch (kind)
        {
            case "json" when value.ValueKind is JsonValueKind.Object:
                return new OutputConstraint.JsonSchema(value.Clone());
            case "json" when value.ValueKind is JsonValueKind.String:
                try
                {
                    using var document = JsonDocument.Parse(value.GetString()!);
                    return new OutputConstraint.JsonSchema(document.RootElement.Clone());
                }
                catch (JsonException e) { throw new BadRequestException($"'{name}' is no JSON: {e.Message}", name); }
            case "json":
                throw JsonFields.Wrong(name, "a schema, or one as text");
            case "json_object" when value.ValueKind is JsonValueKind.True:
                return new OutputConstraint.JsonObject();
            case "regex":
                return value.ValueKind == JsonValueKind.String ? new OutputConstraint.Regex(value.GetString()!) : throw JsonFields.Wrong(name, "a string");
            case "choice":
                if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(option => option.ValueKind != JsonValueKind.String)) throw JsonFields.Wrong(name, "a list of strings");
                return new OutputConstraint.Choice([.. value.EnumerateArray().Select(option => option.GetString()!)]);
            default:
                throw new BadRequestException($"'{name}' is not supported: JSON schemas, regular expressions and choices are", name, "unsupported_parameter");
        }
    }

    /// <summary>Members of <c>structured_outputs</c> that choose among vLLM's own ways to do it.</summary>
    private static bool IsDetail(string name) => name is "disable_fallback" or "disable_any_whitespace" or "disable_additional_properties" or "whitespace_pattern";

    /// <summary>Null for a tool that cannot be understood, unless a call of it may be demanded.</summary>
    private static ToolFunction? Function(JsonElement tool, string at, bool strictly)
    {
        if (tool.ValueKind != JsonValueKind.Object || !tool.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object
            || !function.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            return strictly ? throw new BadRequestException($"'{at}' is not a function with a name", at) : null;
        JsonElement? parameters = function.TryGetProperty("parameters", out var schema) && schema.ValueKind == JsonValueKind.Object ? schema.Clone() : null;
        return new(name.GetString()!, parameters, function.TryGetProperty("strict", out var strict) && strict.ValueKind == JsonValueKind.True);
    }

    private static string NameOf(JsonElement choice)
    {
        if (choice.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && !type.ValueEquals("function"))
            throw new BadRequestException($"'tool_choice' of type '{type.GetString()}' is not supported", "tool_choice", "unsupported_parameter");
        return choice.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()!
            : throw new BadRequestException("'tool_choice' must be \"none\", \"auto\", \"required\" or a function", "tool_choice");
    }
}
