namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>Values of <c>format</c> as expressions for the whole string. Each describes valid values only, and not always all of them.</summary>
internal static class Formats
{
    private const string Month31 = "(0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])", Month30 = "(0[469]|11)-(0[1-9]|[12]\\d|30)", February = "02-(0[1-9]|1\\d|2[0-8])";
    private const string Date = $"\\d{{4}}-({Month31}|{Month30}|{February})";
    private const string Time = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";
    private const string Label = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?";
    private const string Byte = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private const string Group = "[0-9a-fA-F]{1,4}";

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["duration"] = "P(\\d{1,4}D(T\\d{1,4}[HMS])?|\\d{1,4}[WMY]|T\\d{1,4}(H|M|S|H\\d{1,4}M))",
        ["email"] = $"[A-Za-z0-9_+-]{{1,30}}(\\.[A-Za-z0-9_+-]{{1,30}}){{0,3}}@{Label}(\\.{Label}){{1,3}}",
        ["hostname"] = $"{Label}(\\.{Label}){{0,5}}",
        ["ipv4"] = $"{Byte}(\\.{Byte}){{3}}",
        ["ipv6"] = $"{Group}(:{Group}){{7}}",
        ["uuid"] = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        ["uri"] = $"https?://{Label}(\\.{Label}){{0,5}}(:[1-9]\\d{{0,3}})?(/[A-Za-z0-9._~-]{{0,60}}){{0,8}}(\\?[A-Za-z0-9._~=&-]{{0,200}})?(#[A-Za-z0-9._~-]{{0,60}})?",
    };

    public static IEnumerable<string> Names => Patterns.Keys;

    public static string? PatternOf(string format) => Patterns.GetValueOrDefault(format);
}
