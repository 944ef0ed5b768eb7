using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

internal delegate object? Method<T>(RenderContext context, T target, Arguments arguments);

/// <summary>The methods of str.</summary>
internal static class StringMethods
{
    private static readonly FrozenDictionary<string, Method<string>> All = new Dictionary<string, Method<string>>
    {
        ["upper"] = (_, text, _) => text.ToUpperInvariant(),
        ["lower"] = (_, text, _) => text.ToLowerInvariant(),
        ["casefold"] = (_, text, _) => text.ToLowerInvariant(),
        ["capitalize"] = (_, text, _) => PyText.Capitalize(text),
        ["title"] = (_, text, _) => Title(text),
        ["swapcase"] = (_, text, _) => string.Concat(text.EnumerateRunes().Select(rune => (Rune.IsUpper(rune) ? Rune.ToLowerInvariant(rune) : Rune.ToUpperInvariant(rune)).ToString())),
        ["strip"] = (_, text, arguments) => PyText.Strip(text, arguments.TakeStringOrNone("chars")),
        ["lstrip"] = (_, text, arguments) => PyText.Strip(text, arguments.TakeStringOrNone("chars"), end: false),
        ["rstrip"] = (_, text, arguments) => PyText.Strip(text, arguments.TakeStringOrNone("chars"), start: false),
        ["split"] = (context, text, arguments) => Split(context, text, arguments, fromEnd: false),
        ["rsplit"] = (context, text, arguments) => Split(context, text, arguments, fromEnd: true),
        ["splitlines"] = (context, text, arguments) => ToList(context, PyText.Lines(text, arguments.TakeBool("keepends", absent: false))),
        ["partition"] = (_, text, arguments) => Partition(text, arguments.TakeString("sep"), last: false),
        ["rpartition"] = (_, text, arguments) => Partition(text, arguments.TakeString("sep"), last: true),
        ["startswith"] = (_, text, arguments) => AnyOf(arguments, affix => text.StartsWith(affix, StringComparison.Ordinal)),
        ["endswith"] = (_, text, arguments) => AnyOf(arguments, affix => text.EndsWith(affix, StringComparison.Ordinal)),
        ["removeprefix"] = (_, text, arguments) => arguments.TakeString("prefix") is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text,
        ["removesuffix"] = (_, text, arguments) => arguments.TakeString("suffix") is var suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
        ["replace"] = (context, text, arguments) => Replace(context, text, arguments.TakeString("old"), arguments.TakeString("new"), arguments.TakeIntOrNone("count") ?? -1),
        ["find"] = (_, text, arguments) => Find(text, arguments, last: false),
        ["rfind"] = (_, text, arguments) => Find(text, arguments, last: true),
        ["index"] = (_, text, arguments) => Found(Find(text, arguments, last: false)),
        ["rindex"] = (_, text, arguments) => Found(Find(text, arguments, last: true)),
        ["count"] = (_, text, arguments) => Count(text, arguments.TakeString("sub")),
        ["join"] = Join,
        ["format"] = (context, text, arguments) => BraceFormat.Format(context, text, arguments.TakeRest(), arguments.TakeNamed()),
        ["zfill"] = ZFill,
        ["center"] = (context, text, arguments) => Pad(context, text, arguments.TakeInt("width", 0), arguments.TakeString("fillchar", " "), centre: true, left: false),
        ["ljust"] = (context, text, arguments) => Pad(context, text, arguments.TakeInt("width", 0), arguments.TakeString("fillchar", " "), centre: false, left: false),
        ["rjust"] = (context, text, arguments) => Pad(context, text, arguments.TakeInt("width", 0), arguments.TakeString("fillchar", " "), centre: false, left: true),
        ["isdigit"] = (_, text, _) => Every(text, rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber || "²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".Contains(rune.ToString(), StringComparison.Ordinal)),
        ["isdecimal"] = (_, text, _) => Every(text, rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber),
        ["isnumeric"] = (_, text, _) => Every(text, Rune.IsNumber),
        ["isalpha"] = (_, text, _) => Every(text, Rune.IsLetter),
        ["isalnum"] = (_, text, _) => Every(text, rune => Rune.IsLetter(rune) || Rune.IsNumber(rune)),
        ["isspace"] = (_, text, _) => Every(text, rune => rune.IsBmp && PyText.IsSpace((char)rune.Value)),
        ["isupper"] = (_, text, _) => IsUpper(text),
        ["islower"] = (_, text, _) => IsLower(text),
    }.ToFrozenDictionary();

    public static Method<string>? Find(string name) => All.GetValueOrDefault(name);

    public static bool IsUpper(string text) => text.EnumerateRunes().Any(Rune.IsUpper) && !text.EnumerateRunes().Any(Rune.IsLower);

    public static bool IsLower(string text) => text.EnumerateRunes().Any(Rune.IsLower) && !text.EnumerateRunes().Any(Rune.IsUpper);

    /// <summary>The words between runs of white space.</summary>
    public static List<string> Words(string text) => SplitWords(text, long.MaxValue, fromEnd: false);

    public static string Replace(RenderContext context, string text, string old, string replacement, long count)
    {
        if (count == 0) return text;
        if (old.Length == 0) return Interleave(context, text, replacement, count);
        var found = Count(text, old);
        if (count > 0) found = Math.Min(found, count);
        if (found == 0) return text;
        context.CheckSize(text.Length + found * (replacement.Length - old.Length));
        if (count < 0) return text.Replace(old, replacement, StringComparison.Ordinal);

        var result = new StringBuilder();
        var at = 0;
        for (; found > 0; found--)
        {
            var next = text.IndexOf(old, at, StringComparison.Ordinal);
            result.Append(text, at, next - at).Append(replacement);
            at = next + old.Length;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    public static string Pad(RenderContext context, string text, long width, string fill, bool centre, bool left)
    {
        if (PyText.Length(fill) != 1) throw new TemplateError("The fill character must be exactly one character long");
        context.CheckSize(width);
        var missing = (int)Math.Max(0, width - PyText.Length(text));
        // An odd one out stands on the left only when the width is odd.
        var before = centre ? missing / 2 + (missing & (int)width & 1) : left ? missing : 0;
        return Fill(before) + text + Fill(missing - before);

        string Fill(int count) => new StringBuilder().Insert(0, fill, count).ToString();
    }

    /// <summary>An empty text is found between all characters.</summary>
    private static string Interleave(RenderContext context, string text, string inserted, long count)
    {
        var characters = PyText.Characters(text).ToArray();
        context.CheckSize(text.Length + (long)inserted.Length * (characters.Length + 1));
        var result = new StringBuilder();
        for (var i = 0; i <= characters.Length; i++)
        {
            if (count < 0 || i < count) result.Append(inserted);
            if (i < characters.Length) result.Append(characters[i]);
        }
        return result.ToString();
    }

    private static PySequence Split(RenderContext context, string text, Arguments arguments, bool fromEnd)
    {
        var separator = arguments.TakeStringOrNone("sep");
        var limit = arguments.TakeInt("maxsplit", -1);
        if (limit < 0) limit = long.MaxValue;
        if (separator == "") throw new TemplateError("empty separator");
        return ToList(context, separator is null ? SplitWords(text, limit, fromEnd) : SplitAt(text, separator, limit, fromEnd));
    }

    private static List<string> SplitAt(string text, string separator, long limit, bool fromEnd)
    {
        var parts = new List<string>();
        if (fromEnd)
        {
            var end = text.Length;
            for (; limit > 0 && text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var at; limit--)
            {
                parts.Insert(0, text[(at + separator.Length)..end]);
                end = at;
            }
            parts.Insert(0, text[..end]);
            return parts;
        }
        var start = 0;
        for (; limit > 0 && text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var at; limit--)
        {
            parts.Add(text[start..at]);
            start = at + separator.Length;
        }
        parts.Add(text[start..]);
        return parts;
    }

    private static List<string> SplitWords(string text, long limit, bool fromEnd)
    {
        var words = new List<string>();
        var rest = PyText.Strip(text, null, start: !fromEnd, end: fromEnd);
        for (; rest.Length > 0 && limit > 0; limit--)
        {
            var space = fromEnd ? rest.AsSpan().LastIndexOfAny(PyText.Spaces) : rest.AsSpan().IndexOfAny(PyText.Spaces);
            if (space < 0) break;
            words.Add(fromEnd ? rest[(space + 1)..] : rest[..space]);
            rest = PyText.Strip(fromEnd ? rest[..space] : rest[(space + 1)..], null, start: !fromEnd, end: fromEnd);
        }
        rest = PyText.Strip(rest, null, start: fromEnd && limit > 0, end: !fromEnd && limit > 0);
        if (rest.Length > 0) words.Add(rest);
        if (fromEnd) words.Reverse();
        return words;
    }

    private static PySequence Partition(string text, string separator, bool last)
    {
        if (separator.Length == 0) throw new TemplateError("empty separator");
        var at = last ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        object?[] parts = at < 0 ? (last ? ["", "", text] : [text, "", ""]) : [text[..at], separator, text[(at + separator.Length)..]];
        return new PySequence([.. parts], isTuple: true);
    }

    private static bool AnyOf(Arguments arguments, Func<string, bool> matches) => arguments.Take("affix") switch
    {
        string affix => matches(affix),
        PySequence { IsTuple: true } affixes => affixes.Items.Exists(affix => affix is string text && matches(text)),
        var other => throw new TemplateError($"{arguments.Callee}() first arg must be str or a tuple of str, not {PyTypes.Name(PyTypes.Defined(other))}"),
    };

    private static long Find(string text, Arguments arguments, bool last)
    {
        var part = arguments.TakeString("sub");
        var length = PyText.Length(text);
        var (start, end) = (Bound(arguments.TakeInt("start", 0), length), Bound(arguments.TakeIntOrNone("end") ?? length, length));
        if (start > end) return -1;
        var from = PyText.Position(text, start);
        var window = text.AsSpan(from, PyText.Position(text, end) - from);
        var at = last ? window.LastIndexOf(part, StringComparison.Ordinal) : window.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : PyText.Index(text, from + at);

        static int Bound(long index, int length) => (int)Math.Clamp(index < 0 ? index + length : index, 0, length);
    }

    private static long Found(long index) => index >= 0 ? index : throw new TemplateError("substring not found");

    private static long Count(string text, string part)
    {
        if (part.Length == 0) return PyText.Length(text) + 1;
        long count = 0;
        for (var at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length) count++;
        return count;
    }

    private static string Join(RenderContext context, string separator, Arguments arguments)
    {
        var items = PyTypes.Iterate(context, arguments.Take("iterable"));
        var wrong = items.FindIndex(item => item is not string);
        if (wrong >= 0) throw new TemplateError($"sequence item {wrong}: expected str instance, {PyTypes.Name(items[wrong])} found");
        context.CheckSize(items.Sum(item => (long)((string)item!).Length + separator.Length));
        return string.Join(separator, items);
    }

    private static string ZFill(RenderContext context, string text, Arguments arguments)
    {
        var sign = text.StartsWith('-') || text.StartsWith('+') ? text[..1] : "";
        var width = arguments.TakeInt("width", 0);
        return sign + Pad(context, text[sign.Length..], width - sign.Length, "0", centre: false, left: true);
    }

    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(inWord ? Rune.ToLowerInvariant(rune) : Rune.ToUpperInvariant(rune));
            inWord = Rune.IsLetter(rune);
        }
        return result.ToString();
    }

    private static bool Every(string text, Func<Rune, bool> test) => text.Length > 0 && text.EnumerateRunes().All(test);

    private static PySequence ToList(RenderContext context, List<string> items)
    {
        context.Spend(items.Count);
        return new PySequence([.. items]);
    }
}
