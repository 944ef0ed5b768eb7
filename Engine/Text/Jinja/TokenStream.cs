namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The tokens of a template and where the parser stands.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    private const int MaxDepth = 150;
    private int _at;
    private int _depth;

    public Token Current => tokens[_at];

    public int Line => Current.Line;

    public bool IsOperator(string value) => Current.Is(TokenKind.Operator, value);

    public bool IsName(string value) => Current.Is(TokenKind.Name, value);

    public Token Next()
    {
        var token = Current;
        if (token.Kind != TokenKind.End) _at++;
        return token;
    }

    public bool AcceptOperator(string value) => Accept(TokenKind.Operator, value);

    public bool AcceptName(string value) => Accept(TokenKind.Name, value);

    public void ExpectOperator(string value)
    {
        if (!AcceptOperator(value)) throw Error($"expected '{value}', got {Current}");
    }

    public string ExpectName() => Current.Kind == TokenKind.Name ? Next().Value : throw Error($"expected a name, got {Current}");

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind) throw Error($"expected {new Token(kind, "", 0)}, got {Current}");
        Next();
    }

    /// <summary>Guards the parser's own recursion.</summary>
    public T Nested<T>(Func<T> parse)
    {
        if (++_depth > MaxDepth) throw Error("the template nests too deeply");
        var result = parse();
        _depth--;
        return result;
    }

    public TemplateError Error(string message) => new(message, Line);

    private bool Accept(TokenKind kind, string value)
    {
        if (!Current.Is(kind, value)) return false;
        Next();
        return true;
    }
}
