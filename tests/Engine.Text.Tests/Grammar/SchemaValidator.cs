using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>JSON Schema read straight from its specification, sharing nothing with the compiler: says what is wrong with a value, or null.</summary>
internal sealed class SchemaValidator(JsonNode? root)
{
    public string? Check(JsonNode? value) => Check(value, root, "$");

    private string? Check(JsonNode? value, JsonNode? schema, string at)
    {
        if (schema is JsonValue flag) return flag.GetValue<bool>() ? null : $"{at}: nothing is allowed";
        var s = schema!.AsObject();
        if (s["$ref"] is { } reference && Check(value, Follow(reference.GetValue<string>()), at) is { } broken) return broken;
        foreach (var part in s["allOf"] as JsonArray ?? [])
        {
            if (Check(value, part, at) is { } wrong) return wrong;
        }
        if (s["anyOf"] is JsonArray any && !any.Any(option => Check(value, option, at) is null)) return $"{at}: none of anyOf";
        if (s["oneOf"] is JsonArray one && one.Count(option => Check(value, option, at) is null) != 1) return $"{at}: not exactly one of oneOf";
        if (s["type"] is { } type && !(type is JsonArray list ? list.Select(name => name!.GetValue<string>()) : [type.GetValue<string>()]).Any(name => Is(value, name))) return $"{at}: not of type {type.ToJsonString()}";
        if (s["enum"] is JsonArray values && !values.Any(other => JsonNode.DeepEquals(other, value))) return $"{at}: not in enum";
        if (s.ContainsKey("const") && !JsonNode.DeepEquals(s["const"], value)) return $"{at}: not the constant";
        return value switch
        {
            JsonObject o => CheckObject(o, s, at),
            JsonArray a => CheckArray(a, s, at),
            JsonValue v when v.GetValueKind() == System.Text.Json.JsonValueKind.String => CheckString(v.GetValue<string>(), s, at),
            JsonValue v when v.GetValueKind() == System.Text.Json.JsonValueKind.Number => CheckNumber(v, s, at),
            _ => null,
        };
    }

    private string? CheckObject(JsonObject value, JsonObject s, string at)
    {
        foreach (var name in s["required"] as JsonArray ?? [])
        {
            if (!value.ContainsKey(name!.GetValue<string>())) return $"{at}: {name} is missing";
        }
        var properties = s["properties"] as JsonObject ?? [];
        foreach (var (name, member) in value)
        {
            if (properties.TryGetPropertyValue(name, out var declared))
            {
                if (Check(member, declared, $"{at}.{name}") is { } wrong) return wrong;
            }
            else if (s["additionalProperties"] is { } rest && Check(member, rest, $"{at}.{name}") is { } wrong) return wrong;
        }
        return null;
    }

    private string? CheckArray(JsonArray value, JsonObject s, string at)
    {
        if (value.Count < (s["minItems"]?.GetValue<int>() ?? 0)) return $"{at}: too few";
        if (value.Count > (s["maxItems"]?.GetValue<int>() ?? int.MaxValue)) return $"{at}: too many";
        var prefix = s["prefixItems"] as JsonArray ?? [];
        for (var i = 0; i < value.Count; i++)
        {
            var schema = i < prefix.Count ? prefix[i] : s["items"];
            if (schema is not null && Check(value[i], schema, $"{at}[{i}]") is { } wrong) return wrong;
        }
        return null;
    }

    private static string? CheckString(string value, JsonObject s, string at)
    {
        var length = value.EnumerateRunes().Count();
        if (length < (s["minLength"]?.GetValue<int>() ?? 0)) return $"{at}: too short";
        if (length > (s["maxLength"]?.GetValue<int>() ?? int.MaxValue)) return $"{at}: too long";
        if (s["pattern"] is { } pattern && !Regex.IsMatch(value, pattern.GetValue<string>(), RegexOptions.ECMAScript)) return $"{at}: '{value}' does not match {pattern}";
        var ok = s["format"]?.GetValue<string>() switch
        {
            "date" => DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) || value.StartsWith("0000", StringComparison.Ordinal),
            "date-time" => DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _) || value.StartsWith("0000", StringComparison.Ordinal) || HasFarOffset(value),
            "uuid" => Guid.TryParseExact(value, "D", out _),
            "ipv4" or "ipv6" => System.Net.IPAddress.TryParse(value, out _),
            "email" => System.Net.Mail.MailAddress.TryCreate(value, out _),
            "hostname" => Uri.CheckHostName(value) is UriHostNameType.Dns or UriHostNameType.IPv4,
            "uri" => Uri.TryCreate(value, UriKind.Absolute, out _),
            _ => true,
        };
        return ok ? null : $"{at}: '{value}' is no {s["format"]}";
    }

    /// <summary>RFC 3339 allows offsets up to 23:59 and any year, DateTimeOffset does not.</summary>
    private static bool HasFarOffset(string value) => Regex.IsMatch(value, "[+-](1[4-9]|2[0-3]):[0-5][0-9]$") || value.StartsWith("0001-01-01", StringComparison.Ordinal) || value.StartsWith("9999-12-31", StringComparison.Ordinal);

    private static string? CheckNumber(JsonValue value, JsonObject s, string at)
    {
        var number = value.GetValue<double>();             // as most readers see it
        if (s["minimum"] is { } min && number < min.GetValue<double>()) return $"{at}: {number} is below {min}";
        if (s["maximum"] is { } max && number > max.GetValue<double>()) return $"{at}: {number} is above {max}";
        if (s["exclusiveMinimum"] is { } above && number <= above.GetValue<double>()) return $"{at}: {number} is not above {above}";
        if (s["exclusiveMaximum"] is { } below && number >= below.GetValue<double>()) return $"{at}: {number} is not below {below}";
        return null;
    }

    private static bool Is(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "boolean" => value?.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False,
        "string" => value?.GetValueKind() is System.Text.Json.JsonValueKind.String,
        "number" => value?.GetValueKind() is System.Text.Json.JsonValueKind.Number,
        "integer" => value?.GetValueKind() is System.Text.Json.JsonValueKind.Number && Math.Floor(value.GetValue<double>()) == value.GetValue<double>(),
        "array" => value is JsonArray,
        "object" => value is JsonObject,
        _ => throw new ArgumentException(type),
    };

    private JsonNode? Follow(string reference)
    {
        var node = root;
        foreach (var part in reference.Split('/').Skip(1)) node = node is JsonArray list ? list[int.Parse(part, CultureInfo.InvariantCulture)] : node![part];
        return node;
    }
}
