using System.Text;
using NanoAspire.Engine.Text.Grammar.Automata;
using NanoAspire.Engine.Text.Grammar.Patterns;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>How characters stand in a JSON string.</summary>
internal static class JsonText
{
    /// <summary>Characters that stand for themselves.</summary>
    public static CodePoints Plain { get; } = CodePoints.All.Except(CodePoints.Of([(0, 0x1F), ('"', '"'), ('\\', '\\')]));

    private static readonly CodePoints Escaped = Plain.Complement();

    /// <summary>A string literal in its shortest form: quotes, backslashes and controls are escaped, nothing else.</summary>
    public static byte[] Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            if (c is '"' or '\\' or < ' ') quoted.Append(Escape(c));
            else quoted.Append(c);
        }
        return Encoding.UTF8.GetBytes(quoted.Append('"').ToString());
    }

    /// <summary>One character of a set, in the form that <see cref="Quote"/> gives it.</summary>
    public static void Write(GrammarBuilder builder, GrammarState from, CodePoints set, GrammarState to)
    {
        set.Intersect(Plain).Emit(builder, from, to);
        var escaped = set.Intersect(Escaped).Ranges.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)).ToArray();
        if (escaped.Length > 0) builder.AnyOf(from, escaped.Select(point => Encoding.ASCII.GetBytes(Escape((char)point))), to);
    }

    private static string Escape(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\b' => "\\b",
        '\f' => "\\f",
        _ => $"\\u{(int)c:x4}",
    };
}
