using System.Text;
using System.Text.RegularExpressions;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>
/// Cuts a template into tokens, with Jinja's white-space rules: trim_blocks (the newline after a statement goes), lstrip_blocks (so does
/// the indentation before it), the signs - and +, and one final newline removed.
/// </summary>
internal sealed partial class TemplateLexer
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;
    private bool _lineStarts = true;

    private TemplateLexer(string source)
    {
        source = source.ReplaceLineEndings("\n");
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    public static List<Token> Tokenize(string source)
    {
        var lexer = new TemplateLexer(source);
        while (lexer._at < lexer._source.Length) lexer.ReadTextAndTag();
        lexer._tokens.Add(new(TokenKind.End, "", lexer._line));
        return lexer._tokens;
    }

    private void ReadTextAndTag()
    {
        var tag = NextTag();
        if (tag < 0)
        {
            AddText(_source[_at..]);
            MoveTo(_source.Length);
            return;
        }
        AddText(Strip(_source[_at..tag], tag));
        MoveTo(tag);
        var signed = _at + 2 < _source.Length && _source[_at + 2] is '-' or '+';
        switch (_source[_at + 1])
        {
            case '#': ReadComment(); break;
            case '{':
                Add(TokenKind.PrintBegin, "{{");
                MoveTo(_at + (signed ? 3 : 2));
                ReadCode(PrintEnd(), TokenKind.PrintEnd);
                break;
            default:
                if (RawBegin().Match(_source, _at) is { Success: true } raw)
                {
                    ReadRaw(raw.Length);
                    break;
                }
                Add(TokenKind.BlockBegin, "{%");
                MoveTo(_at + (signed ? 3 : 2));
                ReadCode(BlockEnd(), TokenKind.BlockEnd);
                break;
        }
    }

    private int NextTag()
    {
        for (var i = _at; (i = _source.IndexOf('{', i)) >= 0 && i + 1 < _source.Length; i++)
        {
            if (_source[i + 1] is '%' or '{' or '#') return i;
        }
        return -1;
    }

    /// <summary>The text before a tag, less what the tag's sign or lstrip_blocks takes from its end.</summary>
    private string Strip(string text, int tag)
    {
        var sign = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
        if (sign == '-') return text[..PyText.TrimEnd(text)];
        if (sign == '+' || _source[tag + 1] == '{') return text;
        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarts) && text.AsSpan(lineStart).IndexOfAnyExcept(PyText.Spaces) < 0 ? text[..lineStart] : text;
    }

    private void ReadComment()
    {
        var end = CommentEnd().Match(_source, _at + 2);
        if (!end.Success) throw new TemplateError("missing end of comment tag", _line);
        MoveTo(end.Index + end.Length);
    }

    private void ReadRaw(int beginLength)
    {
        var line = _line;
        MoveTo(_at + beginLength);
        var end = RawEnd().Match(_source, _at);
        if (!end.Success) throw new TemplateError("missing end of raw directive", line);
        AddText(Strip(_source[_at..end.Index], end.Index));
        MoveTo(end.Index + end.Length);
    }

    private void ReadCode(Regex endTag, TokenKind endKind)
    {
        var open = new Stack<char>();
        var line = _line;
        while (true)
        {
            while (_at < _source.Length && PyText.IsSpace(_source[_at])) MoveTo(_at + 1);
            if (_at >= _source.Length) throw new TemplateError($"a tag opened on line {line} is not closed", line);
            if (open.Count == 0 && endTag.Match(_source, _at) is { Success: true } end)
            {
                Add(endKind, end.Value);
                MoveTo(_at + end.Length);
                return;
            }
            if (char.IsAsciiDigit(_source[_at])) ReadNumber();
            else if (_source[_at] is '\'' or '"') ReadString(_source[_at]);
            else if (Name().Match(_source, _at) is { Success: true } name) Take(TokenKind.Name, name.Length);
            else ReadOperator(open);
        }
    }

    private void ReadNumber()
    {
        // After a dot it is an index: x.0.1 holds no fraction.
        var number = _at > 0 && _source[_at - 1] == '.' ? Match.Empty : Float().Match(_source, _at);
        if (number.Success) Take(TokenKind.Float, number.Length);
        else Take(TokenKind.Integer, Integer().Match(_source, _at).Length);
    }

    private void ReadOperator(Stack<char> open)
    {
        var found = Array.Find(Operators, candidate => string.CompareOrdinal(_source, _at, candidate, 0, candidate.Length) == 0)
            ?? throw new TemplateError($"unexpected character '{_source[_at]}'", _line);
        switch (found[0])
        {
            case '(': open.Push(')'); break;
            case '[': open.Push(']'); break;
            case '{': open.Push('}'); break;
            case ')' or ']' or '}':
                if (!open.TryPop(out var expected)) throw new TemplateError($"unexpected '{found}'", _line);
                if (expected != found[0]) throw new TemplateError($"unexpected '{found}', expected '{expected}'", _line);
                break;
        }
        Take(TokenKind.Operator, found.Length);
    }

    private void ReadString(char quote)
    {
        var text = new StringBuilder();
        var i = _at + 1;
        for (; i < _source.Length && _source[i] != quote; i++)
        {
            if (_source[i] == '\\') StringEscapes.Read(_source, ref i, text, _line);
            else text.Append(_source[i]);
        }
        if (i >= _source.Length) throw new TemplateError("a string is not closed", _line);
        Add(TokenKind.String, text.ToString());
        MoveTo(i + 1);
    }

    private void Take(TokenKind kind, int length)
    {
        Add(kind, _source.Substring(_at, length));
        MoveTo(_at + length);
    }

    private void AddText(string text)
    {
        if (text.Length > 0) Add(TokenKind.Text, text);
    }

    private void Add(TokenKind kind, string value) => _tokens.Add(new(kind, value, _line));

    private void MoveTo(int position)
    {
        _line += _source.AsSpan(_at, position - _at).Count('\n');
        _lineStarts = position > 0 && _source[position - 1] == '\n';
        _at = position;
    }

    [GeneratedRegex(@"\G(?:\+%\}|-%\}\s*|%\}\n?)")] private static partial Regex BlockEnd();
    [GeneratedRegex(@"\G(?:-\}\}\s*|\}\})")] private static partial Regex PrintEnd();
    [GeneratedRegex(@"(?:\+#\}|-#\}\s*|#\}\n?)")] private static partial Regex CommentEnd();
    [GeneratedRegex(@"\G\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})")] private static partial Regex RawBegin();
    [GeneratedRegex(@"\{%[-+]?\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)")] private static partial Regex RawEnd();
    [GeneratedRegex(@"\G[\w]+")] private static partial Regex Name();
    [GeneratedRegex(@"\G(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)")] private static partial Regex Float();
    [GeneratedRegex(@"\G(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)")] private static partial Regex Integer();
}
