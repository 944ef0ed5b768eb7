using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Engine.Text.Grammar.Schemas;

/// <summary>
/// JSON itself, one rule a kind of value, each made when it is first asked for. White space is what models write: none, one blank,
/// or a line break with an indentation; a blank may follow a colon. Anything freer lets a weak model write blanks for ever.
/// </summary>
internal sealed class JsonRules(GrammarBuilder builder)
{
    /// <summary>Digits of an integer, so that it fits 64 bits; significant digits of a number, so that a double tells them apart.</summary>
    public const int IntegerDigits = 18, NumberDigits = 15;
    private const int MaxIndentation = 64;

    private static readonly ByteSet Digits = ByteSet.Range((byte)'0', (byte)'9');
    private static readonly ByteSet Hex = ByteSet.OfAny("0123456789abcdefABCDEF"u8);

    private GrammarRule? _string, _character, _number, _integer, _value, _object, _array, _indentation;

    public GrammarRule String => _string ??= Make(rule => Quoted(rule.Start, rule.End, body =>
    {
        Character(body, body);
        return body;
    }));

    /// <summary>One character inside a string, in any of the forms that JSON has for it.</summary>
    public GrammarRule OneCharacter => _character ??= Make(rule => Character(rule.Start, rule.End));

    public GrammarRule Integer => _integer ??= Make(rule =>
    {
        var sign = builder.State();
        GrammarBuilder.Skip(rule.Start, sign);
        GrammarBuilder.Bytes(rule.Start, ByteSet.Of((byte)'-'), sign);
        WholePart(sign, IntegerDigits, rule.End);
    });

    public GrammarRule Number => _number ??= Make(rule =>
    {
        var sign = builder.State();
        GrammarBuilder.Skip(rule.Start, sign);
        GrammarBuilder.Bytes(rule.Start, ByteSet.Of((byte)'-'), sign);
        var (whole, fraction) = (builder.State(), builder.State());
        WholePart(sign, NumberDigits, whole);
        GrammarBuilder.Skip(whole, fraction);
        SomeDigits(builder.One(whole, ByteSet.Of((byte)'.')), NumberDigits, fraction);
        GrammarBuilder.Skip(fraction, rule.End);
        var exponent = builder.One(fraction, ByteSet.OfAny("eE"u8));
        var digits = builder.One(exponent, ByteSet.OfAny("+-"u8));
        GrammarBuilder.Skip(exponent, digits);
        SomeDigits(digits, 2, rule.End);
    });

    public GrammarRule Value
    {
        get
        {
            if (_value is not null) return _value;
            _value = builder.Rule();                       // before its parts: they refer to it
            foreach (var text in (string[])["true", "false", "null"]) GrammarBuilder.Skip(builder.Text(_value.Start, text), _value.End);
            foreach (var rule in (GrammarRule[])[String, Number, Object, Array]) GrammarBuilder.Call(_value.Start, rule, _value.End);
            return _value;
        }
    }

    public GrammarRule Object
    {
        get
        {
            if (_object is not null) return _object;
            _object = builder.Rule(nests: true);
            var open = Space(builder.Text(_object.Start, "{"));
            var written = builder.State();
            var member = builder.State();
            GrammarBuilder.Skip(open, member);
            GrammarBuilder.Call(Colon(builder.Call(member, String)), Value, written);
            GrammarBuilder.Skip(Space(builder.Text(written, ",")), member);
            GrammarBuilder.Bytes(open, ByteSet.Of((byte)'}'), _object.End);
            GrammarBuilder.Bytes(Space(written), ByteSet.Of((byte)'}'), _object.End);
            return _object;
        }
    }

    public GrammarRule Array
    {
        get
        {
            if (_array is not null) return _array;
            _array = builder.Rule(nests: true);
            var open = Space(builder.Text(_array.Start, "["));
            var (element, written) = (builder.State(), builder.State());
            GrammarBuilder.Skip(open, element);
            GrammarBuilder.Call(element, Value, written);
            GrammarBuilder.Skip(Space(builder.Text(written, ",")), element);
            GrammarBuilder.Bytes(open, ByteSet.Of((byte)']'), _array.End);
            GrammarBuilder.Bytes(Space(written), ByteSet.Of((byte)']'), _array.End);
            return _array;
        }
    }

    /// <summary>Optional white space; returns the state after it.</summary>
    public GrammarState Space(GrammarState from)
    {
        _indentation ??= Make(rule => GrammarBuilder.Bytes(rule.Start, ByteSet.OfAny(" \t"u8), rule.End));
        var after = builder.State();
        GrammarBuilder.Skip(from, after);
        GrammarBuilder.Bytes(from, ByteSet.Of((byte)' '), after);
        GrammarBuilder.Loop(builder.Text(from, "\n"), _indentation, 0, MaxIndentation, after);
        return after;
    }

    /// <summary>A colon and maybe a blank; returns the state after it.</summary>
    public GrammarState Colon(GrammarState from)
    {
        var colon = builder.Text(from, ":");
        var after = builder.Text(colon, " ");
        GrammarBuilder.Skip(colon, after);
        return after;
    }

    /// <summary>A string whose characters <paramref name="body"/> writes, from the state it is given to the one it returns.</summary>
    public void Quoted(GrammarState from, GrammarState to, Func<GrammarState, GrammarState> body) =>
        GrammarBuilder.Bytes(body(builder.Text(from, "\"")), ByteSet.Of((byte)'"'), to);

    private GrammarRule Make(Action<GrammarRule> fill)
    {
        var rule = builder.Rule();
        fill(rule);
        return rule;
    }

    private void Character(GrammarState from, GrammarState to)
    {
        JsonText.Plain.Emit(builder, from, to);
        var escape = builder.Text(from, "\\");
        GrammarBuilder.Bytes(escape, ByteSet.OfAny("\"\\/bfnrt"u8), to);
        var code = builder.Text(escape, "u");
        // A code unit that is no surrogate …
        HexDigits(builder.One(code, ByteSet.OfAny("0123456789abcefABCEF"u8)), 3, to);
        var d = builder.One(code, ByteSet.OfAny("dD"u8));
        HexDigits(builder.One(d, ByteSet.OfAny("01234567"u8)), 2, to);
        // … or a high one and a low one: half a pair is no text.
        var low = builder.State();
        HexDigits(builder.One(d, ByteSet.OfAny("89abAB"u8)), 2, low);
        HexDigits(builder.One(builder.One(builder.Text(low, "\\u"), ByteSet.OfAny("dD"u8)), ByteSet.OfAny("cdefCDEF"u8)), 2, to);
    }

    private void HexDigits(GrammarState from, int count, GrammarState to)
    {
        for (; count > 1; count--) from = builder.One(from, Hex);
        GrammarBuilder.Bytes(from, Hex, to);
    }

    private void WholePart(GrammarState from, int digits, GrammarState to)
    {
        GrammarBuilder.Bytes(from, ByteSet.Of((byte)'0'), to);
        UpTo(builder.One(from, ByteSet.Range((byte)'1', (byte)'9')), digits - 1, to);
    }

    private void SomeDigits(GrammarState from, int most, GrammarState to) => UpTo(builder.One(from, Digits), most - 1, to);

    private void UpTo(GrammarState from, int most, GrammarState to)
    {
        for (; most > 0; most--)
        {
            GrammarBuilder.Skip(from, to);
            from = builder.One(from, Digits);
        }
        GrammarBuilder.Skip(from, to);
    }
}
