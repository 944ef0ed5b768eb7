using System.Globalization;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What the two interpolated string handlers have in common.</summary>
internal static class ExpressionParts
{
    public static void Literal(StringBuilder format, string value) =>
        format.Append(value.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));

    public static string Apply(string? value, string? format) => format switch
    {
        null => value ?? "",
        "uri" => Uri.EscapeDataString(value ?? ""),
        _ => throw new FormatException($"The value format '{format}' is not supported; 'uri' is."),
    };

    public static void Hole(StringBuilder format, List<IValueProvider> providers, List<string> expressions, List<string?> formats,
        IValueProvider provider, string expression, string? stringFormat)
    {
        format.Append(CultureInfo.InvariantCulture, $"{{{providers.Count}}}");
        providers.Add(provider);
        expressions.Add(stringFormat == "uri" ? UriEncoded(expression) : expression);
        formats.Add(stringFormat);
    }

    /// <summary>Manifests have no functions: an encoded value is an <c>annotated.string</c> beside the original, named after it.</summary>
    private static string UriEncoded(string expression) =>
        expression is ['{', .. var inner, '}'] && inner.EndsWith(".value", StringComparison.Ordinal)
            ? $"{{{inner[..^".value".Length]}-uri-encoded.value}}"
            : expression;
}
