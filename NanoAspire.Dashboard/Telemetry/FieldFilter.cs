using System.Globalization;

namespace NanoAspire.Dashboard.Telemetry;

/// <summary>
/// One condition on a field, written <c>field:condition:value[:disabled]</c> with escaped parts; several are joined by a space.
/// Conditions: equals, contains, gt, lt, gte, lte, !equals, !contains. Text is compared without case.
/// </summary>
internal sealed record FieldFilter(string Field, string Condition, string Value, bool Disabled = false)
{
    public static IReadOnlyList<string> Conditions { get; } = ["equals", "contains", "gt", "lt", "gte", "lte", "!equals", "!contains"];

    private const int MaxFilters = 16;

    /// <summary>What cannot be understood is left out: the text comes from an address that people edit.</summary>
    public static IReadOnlyList<FieldFilter> Parse(string? text) =>
        [.. (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxFilters).Select(ParseOne).OfType<FieldFilter>()];

    public static string Format(IEnumerable<FieldFilter> filters) => string.Join(' ', filters.Select(filter =>
        $"{Uri.EscapeDataString(filter.Field)}:{filter.Condition}:{Uri.EscapeDataString(filter.Value)}{(filter.Disabled ? ":disabled" : "")}"));

    /// <param name="actual">The field's value; null when the record has none, which only a negation matches.</param>
    public bool Matches(string? actual)
    {
        if (Disabled) return true;
        if (actual is null) return Condition.StartsWith('!');
        return Condition switch
        {
            "equals" => actual.Equals(Value, StringComparison.OrdinalIgnoreCase),
            "!equals" => !actual.Equals(Value, StringComparison.OrdinalIgnoreCase),
            "contains" => actual.Contains(Value, StringComparison.OrdinalIgnoreCase),
            "!contains" => !actual.Contains(Value, StringComparison.OrdinalIgnoreCase),
            "gt" => Compare(actual) > 0,
            "lt" => Compare(actual) < 0,
            "gte" => Compare(actual) >= 0,
            _ => Compare(actual) <= 0,
        };
    }

    private int Compare(string actual) =>
        double.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out var a) && double.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var b)
            ? a.CompareTo(b)
            : string.Compare(actual, Value, StringComparison.OrdinalIgnoreCase);

    private static FieldFilter? ParseOne(string text)
    {
        if (text.Split(':') is not [var field, var condition, var value, .. var rest] || field.Length == 0 || !Conditions.Contains(condition)) return null;
        return rest is [] or ["disabled"] ? new FieldFilter(Uri.UnescapeDataString(field), condition, Uri.UnescapeDataString(value), rest.Length == 1) : null;
    }
}
