namespace NanoAspire.Answers.Json;

internal enum JsonStep
{
    /// <summary>The value goes on.</summary>
    More,
    /// <summary>The value ends with this character.</summary>
    Complete,
    /// <summary>The value ended before this character, which is not part of it (numbers only).</summary>
    CompleteBefore,
    /// <summary>No JSON continues this way.</summary>
    Invalid,
}

/// <summary>Checks one JSON value character by character, as it is written.</summary>
internal sealed class JsonScanner
{
    private const int MaxDepth = 64;
    private readonly Stack<bool> _objects = new();   // one an open container: true for an object
    private State _state = State.Value;
    private string _literal = "";
    private int _literalAt;
    private int _hex;
    private bool _key;
    private NumberPart _number;

    private enum State { Value, ValueOrEnd, KeyOrEnd, Key, Colon, CommaOrEnd, String, Escape, Hex, Number, Literal, End }

    private enum NumberPart { Sign, Zero, Integer, Point, Fraction, Exponent, ExponentSign, ExponentDigits }

    /// <summary>Inside a string, where control characters may have to be escaped for the writer.</summary>
    public bool InString => _state is State.String;

    /// <summary>Open containers.</summary>
    public int Depth => _objects.Count;

    /// <summary>A member's value comes next.</summary>
    public bool AfterColon { get; private set; }

    public JsonStep Next(char c)
    {
        AfterColon = false;
        switch (_state)
        {
            case State.String:
                if (c == '"') return EndString();
                if (c == '\\') _state = State.Escape;
                return JsonStep.More;   // control characters pass: the caller escapes them
            case State.Escape:
                if (c == 'u') (_state, _hex) = (State.Hex, 0);
                else if ("\"\\/bfnrt".Contains(c)) _state = State.String;
                else return JsonStep.Invalid;
                return JsonStep.More;
            case State.Hex:
                if (!char.IsAsciiHexDigit(c)) return JsonStep.Invalid;
                if (++_hex == 4) _state = State.String;
                return JsonStep.More;
            case State.Literal:
                if (_literal[_literalAt] != c) return JsonStep.Invalid;
                return ++_literalAt == _literal.Length ? EndValue() : JsonStep.More;
            case State.Number:
                return Number(c);
        }
        if (c is ' ' or '\t' or '\n' or '\r') return _state is State.End ? JsonStep.Invalid : JsonStep.More;
        return _state switch
        {
            State.Value => Begin(c),
            State.ValueOrEnd => c == ']' ? Close(isObject: false) : Begin(c),
            State.KeyOrEnd => c == '}' ? Close(isObject: true) : Key(c),
            State.Key => Key(c),
            State.Colon => Colon(c),
            State.CommaOrEnd => CommaOrEnd(c),
            _ => JsonStep.Invalid,
        };
    }

    private JsonStep Begin(char c)
    {
        switch (c)
        {
            case '{' or '[':
                if (_objects.Count == MaxDepth) return JsonStep.Invalid;
                _objects.Push(c == '{');
                _state = c == '{' ? State.KeyOrEnd : State.ValueOrEnd;
                return JsonStep.More;
            case '"':
                (_state, _key) = (State.String, false);
                return JsonStep.More;
            case 't' or 'f' or 'n':
                (_state, _literal, _literalAt) = (State.Literal, c == 't' ? "true" : c == 'f' ? "false" : "null", 1);
                return JsonStep.More;
            case '-' or (>= '0' and <= '9'):
                (_state, _number) = (State.Number, c == '-' ? NumberPart.Sign : c == '0' ? NumberPart.Zero : NumberPart.Integer);
                return JsonStep.More;
            default:
                return JsonStep.Invalid;
        }
    }

    private JsonStep Key(char c)
    {
        if (c != '"') return JsonStep.Invalid;
        (_state, _key) = (State.String, true);
        return JsonStep.More;
    }

    private JsonStep Colon(char c)
    {
        if (c != ':') return JsonStep.Invalid;
        _state = State.Value;
        AfterColon = true;
        return JsonStep.More;
    }

    private JsonStep CommaOrEnd(char c)
    {
        var isObject = _objects.Peek();
        if (c == (isObject ? '}' : ']')) return Close(isObject);
        if (c != ',') return JsonStep.Invalid;
        _state = isObject ? State.Key : State.Value;
        return JsonStep.More;
    }

    private JsonStep Close(bool isObject)
    {
        if (_objects.Count == 0 || _objects.Pop() != isObject) return JsonStep.Invalid;
        return EndValue();
    }

    private JsonStep EndString()
    {
        if (!_key) return EndValue();
        _state = State.Colon;
        return JsonStep.More;
    }

    private JsonStep EndValue()
    {
        _state = _objects.Count == 0 ? State.End : State.CommaOrEnd;
        return _state is State.End ? JsonStep.Complete : JsonStep.More;
    }

    private JsonStep Number(char c)
    {
        var digit = char.IsAsciiDigit(c);
        var next = (_number, c) switch
        {
            (NumberPart.Sign, '0') => NumberPart.Zero,
            (NumberPart.Sign or NumberPart.Integer, _) when digit => NumberPart.Integer,
            (NumberPart.Zero or NumberPart.Integer, '.') => NumberPart.Point,
            (NumberPart.Point or NumberPart.Fraction, _) when digit => NumberPart.Fraction,
            (NumberPart.Zero or NumberPart.Integer or NumberPart.Fraction, 'e' or 'E') => NumberPart.Exponent,
            (NumberPart.Exponent, '+' or '-') => NumberPart.ExponentSign,
            (NumberPart.Exponent or NumberPart.ExponentSign or NumberPart.ExponentDigits, _) when digit => NumberPart.ExponentDigits,
            _ => (NumberPart?)null,
        };
        if (next is { } part)
        {
            _number = part;
            return JsonStep.More;
        }
        if (_number is NumberPart.Sign or NumberPart.Point or NumberPart.Exponent or NumberPart.ExponentSign) return JsonStep.Invalid;
        if (EndValue() is JsonStep.Complete) return JsonStep.CompleteBefore;
        return Next(c);
    }
}
