using System.Globalization;

namespace NanoAspire.Engine.Text.Grammar.Patterns;

/// <summary>
/// Reads the part of ECMAScript's regular expressions that describes regular languages: no look-around, back references or word
/// boundaries. <c>^</c> and <c>$</c> count where they begin and end the whole pattern or one of its top-level alternatives.
/// </summary>
internal sealed class RegexParser
{
    private const int MaxDepth = 64, MaxRepeat = 10_000, MaxLength = 16_384;

    private readonly string _text;
    private int _at;
    private int _depth;

    private RegexParser(string text) => _text = text;

    /// <param name="pattern">The expression.</param>
    /// <param name="search">True: the texts in which it is found (JSON Schema's meaning); false: the texts that it matches whole.</param>
    /// <exception cref="FormatException">Malformed or unsupported; the message says what.</exception>
    public static RegexNode Parse(string pattern, bool search)
    {
        if (pattern.Length > MaxLength) throw new FormatException($"is longer than {MaxLength} characters");
        var parser = new RegexParser(pattern);
        var options = new List<RegexNode>();
        do
        {
            var from = parser.Take('^');
            var body = parser.ParseSequence();
            var to = parser.Take('$');
            options.Add(!search ? body : new RegexNode.Sequence([from ? RegexNode.Empty : RegexNode.AnyText, body, to ? RegexNode.Empty : RegexNode.AnyText]));
        } while (parser.Take('|'));
        if (parser._at < pattern.Length) throw Error(pattern[parser._at] == ')' ? "has a ')' without '('" : "has '^' or '$' inside, which is not supported");
        return options.Count == 1 ? options[0] : new RegexNode.Choice(options);
    }

    private RegexNode ParseChoice()
    {
        var options = new List<RegexNode> { ParseSequence() };
        while (Take('|')) options.Add(ParseSequence());
        return options.Count == 1 ? options[0] : new RegexNode.Choice(options);
    }

    private RegexNode ParseSequence()
    {
        var parts = new List<RegexNode>();
        while (_at < _text.Length && _text[_at] is not ('|' or ')' or '$' or '^')) parts.Add(ParseRepeat(ParseAtom()));
        return parts.Count == 1 ? parts[0] : new RegexNode.Sequence(parts);
    }

    private RegexNode ParseRepeat(RegexNode body)
    {
        while (_at < _text.Length)
        {
            (int Min, int? Max)? count = _text[_at] switch { '*' => (0, null), '+' => (1, null), '?' => (0, 1), _ => null };
            if (count is not null) _at++;
            else if (_text[_at] == '{') count = ParseCount();
            if (count is not var (min, max)) return body;
            Take('?');                                     // lazy or not, the texts are the same
            body = new RegexNode.Repeat(body, min, max);
        }
        return body;
    }

    private (int, int?) ParseCount()
    {
        _at++;
        var min = ParseInt() ?? throw Error("has a '{' that is no repetition");
        int? max = min;
        if (Take(',')) max = ParseInt();
        if (!Take('}')) throw Error("has an unclosed '{'");
        if (max < min) throw Error("has a repetition with its bounds reversed");
        return (min, max);
    }

    private int? ParseInt()
    {
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
        if (_at == start) return null;
        return int.TryParse(_text.AsSpan(start, _at - start), CultureInfo.InvariantCulture, out var value) && value <= MaxRepeat ? value : throw Error($"repeats more than {MaxRepeat} times");
    }

    private RegexNode ParseAtom()
    {
        var c = _text[_at];
        switch (c)
        {
            case '(':
                return ParseGroup();
            case '[':
                return new RegexNode.Set(ParseClass());
            case '.':
                _at++;
                return new RegexNode.Set(CodePoints.AnyButNewline);
            case '\\':
                return new RegexNode.Set(ParseEscape(inClass: false));
            case '*' or '+' or '?' or '{':
                throw Error($"repeats nothing at '{c}'");
            default:
                return new RegexNode.Set(CodePoints.One(Point()));
        }
    }

    private RegexNode ParseGroup()
    {
        if (++_depth > MaxDepth) throw Error("nests too deeply");
        _at++;
        if (Take('?'))
        {
            if (Take('<') && _at < _text.Length && _text[_at] is not ('=' or '!'))
            {
                while (_at < _text.Length && !Take('>')) _at++;
            }
            else if (!Take(':')) throw Error("uses look-around or flags, which are not supported");
        }
        var body = ParseChoice();
        if (!Take(')')) throw Error(_at < _text.Length ? "has '^' or '$' inside, which is not supported" : "has an unclosed '('");
        _depth--;
        return body;
    }

    private CodePoints ParseClass()
    {
        _at++;
        var negated = Take('^');
        var ranges = new List<(int, int)>();
        while (!Take(']'))
        {
            var first = ParseClassItem();
            if (_at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] != ']' && Single(first) is { } low)
            {
                _at++;
                var high = Single(ParseClassItem()) ?? throw Error("has a range that ends in a class");
                if (high < low) throw Error("has a range with its ends reversed");
                ranges.Add((low, high));
            }
            else ranges.AddRange(first.Ranges);
        }
        var set = CodePoints.Of(ranges);
        return negated ? set.Complement() : set;
    }

    private CodePoints ParseClassItem()
    {
        if (_at >= _text.Length) throw Error("has an unclosed '['");
        return _text[_at] == '\\' ? ParseEscape(inClass: true) : CodePoints.One(Point());
    }

    private static int? Single(CodePoints set) => set.Ranges is [var (first, last)] && first == last ? first : null;

    private CodePoints ParseEscape(bool inClass)
    {
        _at++;
        if (_at >= _text.Length) throw Error("ends in a backslash");
        var c = _text[_at++];
        switch (c)
        {
            case 'd': return CodePoints.Digit;
            case 'D': return CodePoints.Digit.Complement();
            case 'w': return CodePoints.Word;
            case 'W': return CodePoints.Word.Complement();
            case 's': return CodePoints.Space;
            case 'S': return CodePoints.Space.Complement();
            case 'n': return CodePoints.One('\n');
            case 'r': return CodePoints.One('\r');
            case 't': return CodePoints.One('\t');
            case 'f': return CodePoints.One('\f');
            case 'v': return CodePoints.One('\v');
            case '0': return CodePoints.One(0);
            case 'x': return CodePoints.One(Hex(2));
            case 'u': return CodePoints.One(ParseUnicode());
            case 'p' or 'P':
                var set = ParseProperty();
                return c == 'p' ? set : set.Complement();
            case 'b' when inClass: return CodePoints.One('\b');
            case >= '1' and <= '9': throw Error("uses a back reference, which is not supported");
            case 'b' or 'B': throw Error("uses a word boundary, which is not supported");
            default:
                if (char.IsAsciiLetterOrDigit(c)) throw Error($"uses '\\{c}', which is not supported");
                _at--;
                return CodePoints.One(Point());
        }
    }

    private int ParseUnicode()
    {
        if (Take('{'))
        {
            var end = _text.IndexOf('}', _at);
            if (end < 0 || !int.TryParse(_text.AsSpan(_at, end - _at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point)) throw Error("has a malformed '\\u{…}'");
            _at = end + 1;
            return point is >= 0 and <= 0x10FFFF ? point : throw Error("has a '\\u{…}' beyond Unicode");
        }
        var high = Hex(4);
        if (!char.IsHighSurrogate((char)high) || _at + 1 >= _text.Length || _text[_at] != '\\' || _text[_at + 1] != 'u') return high;
        _at += 2;
        var low = Hex(4);
        return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)high, (char)low) : throw Error("has half a surrogate pair");
    }

    private CodePoints ParseProperty()
    {
        var end = Take('{') ? _text.IndexOf('}', _at) : -1;
        if (end < 0) throw Error("has a malformed '\\p{…}'");
        var name = _text[_at..end];
        _at = end + 1;
        foreach (var prefix in (string[])["General_Category=", "gc="])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) name = name[prefix.Length..];
        }
        return CodePoints.OfCategory(name switch { "Letter" => "L", "Number" => "N", "Punctuation" => "P", "Symbol" => "S", _ => name })
            ?? throw Error($"uses the property '{name}', which is not supported");
    }

    private int Hex(int digits)
    {
        if (_at + digits > _text.Length || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) throw Error("has a malformed escape");
        _at += digits;
        return value;
    }

    private int Point()
    {
        var point = char.IsHighSurrogate(_text[_at]) && _at + 1 < _text.Length && char.IsLowSurrogate(_text[_at + 1]) ? char.ConvertToUtf32(_text[_at], _text[_at + 1]) : _text[_at];
        _at += point > char.MaxValue ? 2 : 1;
        return point;
    }

    private bool Take(char c)
    {
        if (_at >= _text.Length || _text[_at] != c) return false;
        _at++;
        return true;
    }

    private static FormatException Error(string message) => new(message);
}
