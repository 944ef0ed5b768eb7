namespace NanoAspire.Dashboard.Telemetry;

/// <summary>Look-ups in attribute lists, which are short.</summary>
internal static class AttributeExtensions
{
    public static string? Text(this OtlpAttribute[] attributes, string key)
    {
        foreach (var attribute in attributes)
        {
            if (attribute.Key == key) return attribute.Value.ToString();
        }
        return null;
    }

    public static long? Number(this OtlpAttribute[] attributes, string key)
    {
        foreach (var attribute in attributes)
        {
            if (attribute.Key == key) return attribute.Value.Content switch { long whole => whole, double real => (long)real, _ => null };
        }
        return null;
    }

    public static bool HasPrefix(this OtlpAttribute[] attributes, string prefix) =>
        Array.Exists(attributes, attribute => attribute.Key.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>One text for one label set, whatever its order.</summary>
    public static string Key(this OtlpAttribute[] attributes) =>
        string.Join('\u001f', attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}\u001e{a.Value}"));

    public static string Label(this OtlpAttribute[] attributes) => string.Join(", ", attributes.Select(a => $"{a.Key}={a.Value}"));
}
