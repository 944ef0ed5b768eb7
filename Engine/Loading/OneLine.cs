namespace NanoAspire.Engine.Loading;

/// <summary>Messages of others, and what files say, made fit for ours.</summary>
internal static class OneLine
{
    private const int MaxLength = 1000;

    /// <summary>Control characters become spaces; what is longer than any message needs is cut.</summary>
    public static string Of(string message, int length = MaxLength)
    {
        var line = message.ReplaceLineEndings(" ").Trim();
        if (line.Length > length) line = string.Concat(line.AsSpan(0, length), "…");
        return line.Any(char.IsControl) ? string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)) : line;
    }
}
