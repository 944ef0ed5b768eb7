using System.Text;
using NanoAspire.Engine.Text.Unicode;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>The <c>normalizer</c> of a tokenizer.json: a chain of rewrites of the text.</summary>
internal sealed class Normalizer
{
    private readonly List<Func<string, string>> _steps = [];

    public static Normalizer Read(JsonField field)
    {
        var normalizer = new Normalizer();
        if (!field.IsNull) normalizer.Add(field);
        return normalizer;
    }

    public string Normalize(string text)
    {
        foreach (var step in _steps) text = step(text);
        return text;
    }

    private void Add(JsonField field)
    {
        var type = field["type"];
        switch (type.String())
        {
            case "Sequence":
                foreach (var item in field["normalizers"].Items()) Add(item);
                break;
            case "NFC": AddForm(NormalizationForm.FormC); break;
            case "NFD": AddForm(NormalizationForm.FormD); break;
            case "NFKC": AddForm(NormalizationForm.FormKC); break;
            case "NFKD": AddForm(NormalizationForm.FormKD); break;
            case "Lowercase": _steps.Add(Lowercase); break;
            case "Replace":
                var pattern = TextPattern.Read(field["pattern"]);
                var content = field["content"].String();
                _steps.Add(text => pattern.Replace(text, content));
                break;
            case "Prepend":
                var prefix = field["prepend"].String();
                _steps.Add(text => text.Length == 0 ? text : prefix + text);
                break;
            case "Strip":
                var (left, right) = (field["strip_left"].Bool(absent: true), field["strip_right"].Bool(absent: true));
                _steps.Add(text => Strip(text, left, right));
                break;
            default:
                throw type.Error($"'{type.String()}' is not supported");
        }
    }

    private void AddForm(NormalizationForm form) => _steps.Add(text => UnicodeNormalizer.Normalize(text, form));

    /// <summary>.NET leaves İ alone, because its lower case is two characters.</summary>
    private static string Lowercase(string text) => text.ToLowerInvariant().Replace("\u0130", "i\u0307", StringComparison.Ordinal);

    private static string Strip(ReadOnlySpan<char> text, bool left, bool right)
    {
        if (left) text = text.TrimStartSpace();
        if (right) text = text.TrimEndSpace();
        return text.ToString();
    }
}
