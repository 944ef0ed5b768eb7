using System.Text.Json;
using System.Text.RegularExpressions;

namespace NanoAspire.Hosting.Tests.Publishing.Manifest;

/// <summary>The public schema's rules, written down independently of the writer: which members each type has, and what expressions may name.</summary>
internal static partial class ManifestRules
{
    private static readonly Dictionary<string, (string[] Required, string[] Optional)> Types = new()
    {
        ["project.v0"] = (["path"], ["args", "env", "bindings", "containerFiles"]),
        ["project.v1"] = (["path", "deployment"], ["args", "env", "bindings", "containerFiles"]),
        ["container.v0"] = (["image"], ["entrypoint", "args", "connectionString", "env", "bindings", "bindMounts", "volumes", "containerFiles"]),
        ["container.v1"] = ([], ["image", "build", "entrypoint", "args", "connectionString", "env", "bindings", "bindMounts", "volumes", "containerFiles", "deployment"]),
        ["executable.v0"] = (["workingDirectory", "command"], ["args", "env", "bindings"]),
        ["parameter.v0"] = (["value", "inputs"], ["connectionString"]),
        ["value.v0"] = ([], ["connectionString"]),
        ["annotated.string"] = (["value"], ["filter"]),
    };

    /// <summary>What is wrong, in words; nothing when the manifest is valid.</summary>
    public static IReadOnlyList<string> Check(string json)
    {
        using var document = JsonDocument.Parse(json);
        var problems = new List<string>();
        var root = document.RootElement;
        Only(root, "manifest", ["resources"], ["$schema"], problems);
        if (root.TryGetProperty("$schema", out var schema) && schema.GetString() != "https://json.schemastore.org/aspire-8.0.json") problems.Add("$schema is another one");
        var resources = root.GetProperty("resources");
        foreach (var resource in resources.EnumerateObject()) CheckResource(resource, problems);
        foreach (var (where, text) in Texts(resources, ""))
        {
            foreach (Match expression in Expression().Matches(text))
            {
                if (!Exists(resources, expression.Groups[1].Value, where)) problems.Add($"{where}: {expression.Value} names nothing");
            }
        }
        return problems;
    }

    private static void CheckResource(JsonProperty resource, List<string> problems)
    {
        var (name, value) = (resource.Name, resource.Value);
        if (!NamePattern().IsMatch(name)) problems.Add($"{name}: not a resource name");
        if (!value.TryGetProperty("type", out var type))
        {
            problems.Add($"{name}: no type");
            return;
        }
        if (!Types.TryGetValue(type.GetString()!, out var members)) return;          // other types are passed over
        Only(value, name, [.. members.Required, "type"], members.Optional, problems);
        if (type.GetString() == "container.v1" && value.TryGetProperty("image", out _) == value.TryGetProperty("build", out _)) problems.Add($"{name}: image or build, and only one");
        if (value.TryGetProperty("build", out var build)) Only(build, $"{name}.build", ["context", "dockerfile"], ["stage", "args", "secrets", "buildOnly"], problems);
        if (value.TryGetProperty("bindings", out var bindings)) CheckBindings(name, bindings, problems);
        foreach (var volume in Items(value, "volumes")) Only(volume, $"{name}.volumes", ["name", "target", "readOnly"], [], problems);
        foreach (var mount in Items(value, "bindMounts")) Only(mount, $"{name}.bindMounts", ["source", "target", "readOnly"], [], problems);
        if (value.TryGetProperty("inputs", out var inputs)) CheckInputs(name, inputs, problems);
        foreach (var argument in Items(value, "args")) Text(argument, $"{name}.args", problems);
        if (value.TryGetProperty("env", out var env))
        {
            foreach (var variable in env.EnumerateObject()) Text(variable.Value, $"{name}.env.{variable.Name}", problems);
        }
        foreach (var path in new[] { "path", "workingDirectory" })
        {
            if (value.TryGetProperty(path, out var text) && text.GetString()!.Contains('\\', StringComparison.Ordinal)) problems.Add($"{name}.{path}: backslash");
        }
    }

    private static void CheckBindings(string name, JsonElement bindings, List<string> problems)
    {
        foreach (var binding in bindings.EnumerateObject())
        {
            var where = $"{name}.bindings.{binding.Name}";
            Only(binding.Value, where, ["scheme", "protocol", "transport"], ["external", "port", "targetPort"], problems);
            OneOf(binding.Value, "protocol", where, problems, "tcp", "udp");
            OneOf(binding.Value, "transport", where, problems, "http", "http2", "tcp");
            if (binding.Value.TryGetProperty("external", out var external) && external.ValueKind != JsonValueKind.True) problems.Add($"{where}: external is written only when true");
            foreach (var port in new[] { "port", "targetPort" })
            {
                if (binding.Value.TryGetProperty(port, out var number) && number.GetInt32() is < 1 or > 65535) problems.Add($"{where}.{port}: out of range");
            }
        }
    }

    private static void CheckInputs(string name, JsonElement inputs, List<string> problems)
    {
        foreach (var input in inputs.EnumerateObject())
        {
            var where = $"{name}.inputs.{input.Name}";
            Only(input.Value, where, ["type"], ["secret", "default"], problems);
            OneOf(input.Value, "type", where, problems, "string");
            if (!input.Value.TryGetProperty("default", out var value)) continue;
            Only(value, $"{where}.default", [], ["generate", "value"], problems);
            if (value.EnumerateObject().Count() != 1) problems.Add($"{where}.default: generate or value");
            if (value.TryGetProperty("generate", out var generate))
            {
                Only(generate, $"{where}.default.generate", ["minLength"], ["lower", "upper", "numeric", "special", "minLower", "minUpper", "minNumeric", "minSpecial"], problems);
            }
        }
    }

    private static bool Exists(JsonElement resources, string expression, string where)
    {
        var parts = expression.Split('.');
        if (!resources.TryGetProperty(parts[0], out var resource)) return false;
        return parts[1..] switch
        {
            ["connectionString"] => resource.TryGetProperty("connectionString", out _),
            ["value"] => resource.TryGetProperty("value", out _),
            ["inputs", var input] => where.StartsWith(parts[0] + ".", StringComparison.Ordinal) && resource.GetProperty("inputs").TryGetProperty(input, out _),
            ["bindings", var binding, "url" or "host" or "port" or "scheme" or "targetPort"] =>
                resource.TryGetProperty("bindings", out var bindings) && bindings.TryGetProperty(binding, out _),
            ["containerImage" or "containerPort"] => true,
            _ => false,
        };
    }

    private static void Only(JsonElement element, string where, string[] required, string[] optional, List<string> problems)
    {
        foreach (var name in required.Where(r => !element.TryGetProperty(r, out _))) problems.Add($"{where}: no {name}");
        foreach (var property in element.EnumerateObject())
        {
            if (!required.Contains(property.Name) && !optional.Contains(property.Name)) problems.Add($"{where}: unknown {property.Name}");
            if (property.Value.ValueKind == JsonValueKind.Null) problems.Add($"{where}.{property.Name}: null");
        }
    }

    private static void OneOf(JsonElement element, string name, string where, List<string> problems, params string[] allowed)
    {
        if (element.TryGetProperty(name, out var value) && !allowed.Contains(value.GetString())) problems.Add($"{where}.{name}: '{value}'");
    }

    private static void Text(JsonElement element, string where, List<string> problems)
    {
        if (element.ValueKind != JsonValueKind.String) problems.Add($"{where}: not a text");
    }

    private static JsonElement[] Items(JsonElement element, string name) => element.TryGetProperty(name, out var array) ? [.. array.EnumerateArray()] : [];

    private static IEnumerable<(string Where, string Text)> Texts(JsonElement element, string where) => element.ValueKind switch
    {
        JsonValueKind.String => [(where, element.GetString()!)],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Texts(p.Value, where.Length == 0 ? p.Name : $"{where}.{p.Name}")),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(i => Texts(i, where)),
        _ => [],
    };

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\{([^{}]+)\}")]
    private static partial Regex Expression();
}
