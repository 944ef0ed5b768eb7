using System.Text;

namespace NanoAspire.Dashboard.Html;

/// <summary>Terminal text as HTML: the 16 colours, bold and dim become classes, every other control sequence is dropped.</summary>
internal static class Ansi
{
    private const char Escape = '\u001b';

    public static Markup ToHtml(string line)
    {
        if (line.IndexOf(Escape, StringComparison.Ordinal) < 0) return HtmlWriter.Of(html => html.Add($"{Printable(line)}"));
        var html = new HtmlWriter();
        var (foreground, bold, dim) = (-1, false, false);
        for (var i = 0; i < line.Length;)
        {
            if (line[i] != Escape)
            {
                var end = line.IndexOf(Escape, i);
                if (end < 0) end = line.Length;
                Run(html, line[i..end], foreground, bold, dim);
                i = end;
                continue;
            }
            var sequence = SequenceLength(line.AsSpan(i));
            if (sequence > 2 && line[i + sequence - 1] == 'm') Apply(line[(i + 2)..(i + sequence - 1)], ref foreground, ref bold, ref dim);
            i += sequence;
        }
        return html.ToMarkup();
    }

    /// <summary>Without control sequences and characters.</summary>
    public static string Strip(string line)
    {
        var text = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length;)
        {
            if (line[i] == Escape) i += SequenceLength(line.AsSpan(i));
            else text.Append(line[i++]);
        }
        return Printable(text.ToString());
    }

    private static void Run(HtmlWriter html, string text, int foreground, bool bold, bool dim)
    {
        if (foreground < 0 && !bold && !dim) { html.Add($"{Printable(text)}"); return; }
        var classes = string.Join(' ', new[] { foreground < 0 ? "" : $"a{foreground}", bold ? "ab" : "", dim ? "ad" : "" }.Where(c => c.Length > 0));
        html.Add($"""<span class="{classes}">{Printable(text)}</span>""");
    }

    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Where(c => c == '\t' || !char.IsControl(c))) : text;

    /// <summary>ESC [ parameters final, ESC ] … BEL, or ESC and one character.</summary>
    private static int SequenceLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2) return text.Length;
        if (text[1] == ']')
        {
            var end = text.IndexOf('\a');
            return end < 0 ? text.Length : end + 1;
        }
        if (text[1] != '[') return 2;
        var length = 2;
        while (length < text.Length && text[length] is < '@' or > '~') length++;
        return Math.Min(length + 1, text.Length);
    }

    private static void Apply(string parameters, ref int foreground, ref bool bold, ref bool dim)
    {
        foreach (var parameter in parameters.Split(';'))
        {
            switch (int.TryParse(parameter, out var code) ? code : 0)
            {
                case 0: (foreground, bold, dim) = (-1, false, false); break;
                case 1: bold = true; break;
                case 2: dim = true; break;
                case 22: (bold, dim) = (false, false); break;
                case 39: foreground = -1; break;
                case >= 30 and <= 37: foreground = code - 30; break;
                case >= 90 and <= 97: foreground = code - 90 + 8; break;
            }
        }
    }
}
