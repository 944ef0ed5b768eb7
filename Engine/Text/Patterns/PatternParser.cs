using System.Globalization;
using System.Text;

namespace NanoAspire.Engine.Text.Patterns;

/// <summary>
/// Parses the regular expressions of tokenizer files: the Oniguruma dialect without back-references, conditionals and subroutine calls.
/// An interval followed by <c>+</c> is repeated, not possessive, as Oniguruma reads it. Groups do not capture.
/// </summary>
internal sealed partial class PatternParser
{
    private const int MaxDepth = 50;
    private readonly int[] _source;
    private int _at;
    private int _depth;
    private bool _ignoreCase;

    private PatternParser(string pattern) => _source = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];

    /// <exception cref="FormatException">The pattern is malformed or uses something that is not supported; the message says where.</exception>
    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        var node = parser.ParseChoice();
        return parser._at == parser._source.Length ? node : throw parser.Error("unbalanced ')'");
    }

    private PatternNode ParseChoice()
    {
        if (++_depth > MaxDepth) throw Error("groups nest too deeply");
        var ignoreCase = _ignoreCase;                                   // a bare (?i) lasts to the end of its group
        var options = new List<PatternNode> { ParseSequence() };
        while (Accept('|')) options.Add(ParseSequence());
        _ignoreCase = ignoreCase;
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options);
    }

    private PatternNode ParseSequence()
    {
        var parts = new List<PatternNode>();
        while (_at < _source.Length && Peek() is not ('|' or ')'))
        {
            if (ParseAtom() is { } atom) parts.Add(ParseQuantifiers(atom));
        }
        return parts.Count == 1 ? parts[0] : new PatternNode.Sequence(parts);
    }

    private PatternNode ParseQuantifiers(PatternNode atom)
    {
        while (true)
        {
            var interval = false;
            int min;
            int? max;
            if (Accept('*')) (min, max) = (0, null);
            else if (Accept('+')) (min, max) = (1, null);
            else if (Accept('?')) (min, max) = (0, 1);
            else if (TryInterval(out min, out max)) interval = true;
            else return atom;

            var greed = Accept('?') ? Greed.Lazy : !interval && Accept('+') ? Greed.Possessive : Greed.Greedy;
            if (atom.Length.Max == 0) throw Error("a quantifier has nothing to repeat");
            if (max is null && atom.Length.Min == 0) throw Error("an unbounded repeat of something that may be empty is not supported");
            atom = new PatternNode.Repeat(atom, min, max, greed);
        }
    }

    private bool TryInterval(out int min, out int? max)
    {
        (min, max) = (0, null);
        var start = _at;
        if (!Accept('{')) return false;
        var low = Digits();
        var comma = Accept(',');
        var high = comma ? Digits() : low;
        if ((low is null && high is null) || !Accept('}'))
        {
            _at = start;
            return false;                                               // a literal brace
        }
        (min, max) = (low ?? 0, high);
        if (min > 1000 || max > 1000 || max < min) throw Error("a repeat count is out of range");
        return true;
    }

    private int? Digits()
    {
        int? value = null;
        while (_at < _source.Length && Peek() is >= '0' and <= '9' && value is not > 100_000)
        {
            value = (value ?? 0) * 10 + (Next() - '0');
        }
        return value;
    }

    private PatternNode? ParseAtom()
    {
        var c = Next();
        switch (c)
        {
            case '(': return ParseGroup();
            case '[': return new PatternNode.One(new SetParser(this).Parse());
            case '.': return new PatternNode.One(RuneSet.AnyButNewline);
            case '^': return new PatternNode.Position(Anchor.LineStart);
            case '$': return new PatternNode.Position(Anchor.LineEnd);
            case '*' or '+' or '?': throw Error("a quantifier has nothing to repeat");
            case '\\':
                switch (_at < _source.Length ? Peek() : throw Error("a trailing backslash"))
                {
                    case 'b': _at++; return new PatternNode.Position(Anchor.WordBoundary);
                    case 'B': _at++; return new PatternNode.Position(Anchor.NotWordBoundary);
                    case 'A': _at++; return new PatternNode.Position(Anchor.TextStart);
                    case 'z': _at++; return new PatternNode.Position(Anchor.TextEnd);
                    case 'Z': _at++; return new PatternNode.Position(Anchor.TextEndOrLastNewline);
                    default: return new PatternNode.One(ParseEscape(out var literal) ?? Literal(literal));
                }
            default: return new PatternNode.One(Literal(c));
        }
    }

    private PatternNode? ParseGroup()
    {
        if (!Accept('?')) return Close(ParseChoice());
        switch (Next())
        {
            case ':': return Close(ParseChoice());
            case '=': return Close(new PatternNode.Look(ParseChoice(), Ahead: true, Negative: false));
            case '!': return Close(new PatternNode.Look(ParseChoice(), Ahead: true, Negative: true));
            case '>': return Close(new PatternNode.Atomic(ParseChoice()));
            case '<' when Accept('='): return Close(Behind(negative: false));
            case '<' when Accept('!'): return Close(Behind(negative: true));
            case '<': return Close(SkipName());
            default:
                _at--;
                return ParseFlags();
        }
    }

    private PatternNode.Look Behind(bool negative)
    {
        var body = ParseChoice();
        return body.Length is var (min, max) && min == max
            ? new PatternNode.Look(body, Ahead: false, negative)
            : throw Error("a look-behind of varying length is not supported");
    }

    private PatternNode SkipName()
    {
        while (Next() != '>') { }
        return ParseChoice();
    }

    private PatternNode? ParseFlags()
    {
        var on = true;
        var before = _ignoreCase;
        while (true)
        {
            switch (Next())
            {
                case '-': on = false; break;
                case 'i': _ignoreCase = on; break;
                case ')': return null;
                case ':':
                    var body = Close(ParseChoice());
                    _ignoreCase = before;
                    return body;
                default: throw Error("this kind of group is not supported");
            }
        }
    }

    private PatternNode Close(PatternNode body) => Accept(')') ? body : throw Error("a missing ')'");

    private RuneSet Literal(int point) => new(CaseFolding.Variants(point, _ignoreCase));

    /// <summary>After a backslash: a class, or null and the literal code point.</summary>
    private RuneSet? ParseEscape(out int literal)
    {
        var c = Next();
        literal = c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'f' => '\f', 'v' => '\v', 'a' => 7, 'e' => 27, '0' => 0, _ => c };
        if (literal != c) return null;
        switch (c)
        {
            case 's': return RuneSet.Space;
            case 'S': return RuneSet.Not(RuneSet.Space);
            case 'd': return RuneSet.Digit;
            case 'D': return RuneSet.Not(RuneSet.Digit);
            case 'w': return RuneSet.Word;
            case 'W': return RuneSet.Not(RuneSet.Word);
            case 'p' or 'P': return ParseProperty(negated: c == 'P');
            case 'x': literal = Accept('{') ? HexUntilBrace() : Hex(2); return null;
            case 'u': literal = Hex(4); return null;
            case < 128 when char.IsAsciiLetterOrDigit((char)c): throw Error($"\\{(char)c} is not supported");
            default: return null;
        }
    }

    private RuneSet ParseProperty(bool negated)
    {
        var name = new StringBuilder();
        if (Accept('{'))
        {
            if (Accept('^')) negated = !negated;
            for (var c = Next(); c != '}'; c = Next()) name.Append(char.ConvertFromUtf32(c));
        }
        else
        {
            name.Append(char.ConvertFromUtf32(Next()));
        }
        var set = UnicodeProperties.Find(name.ToString()) ?? throw Error($"the property \\p{{{name}}} is not supported");
        return negated ? RuneSet.Not(set) : set;
    }

    private int HexUntilBrace()
    {
        var start = _at;
        while (Next() != '}') { }
        return ParseHex(start, _at - 1 - start);
    }

    private int Hex(int digits)
    {
        if (_at + digits > _source.Length) throw Error("too few hexadecimal digits");
        _at += digits;
        return ParseHex(_at - digits, digits);
    }

    private int ParseHex(int start, int length)
    {
        var digits = string.Concat(_source.AsSpan(start, length).ToArray().Select(char.ConvertFromUtf32));
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point) && Rune.IsValid(point)
            ? point : throw Error($"'{digits}' is not a hexadecimal code point");
    }

    private int Peek() => _source[_at];

    private int Next() => _at < _source.Length ? _source[_at++] : throw Error("the pattern ends too early");

    private bool Accept(int c)
    {
        if (_at >= _source.Length || _source[_at] != c) return false;
        _at++;
        return true;
    }

    private FormatException Error(string what) => new($"{what} (character {_at} of the pattern)");
}
