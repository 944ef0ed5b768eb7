using System.Globalization;
using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Parses expressions, loosest binding first: if-else, or, and, not, comparisons, + -, ~, * / // %, **, signs and filters.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    /// <summary>Operators, filters or members in a row: each deepens the tree by one.</summary>
    private const int MaxChain = 500;

    /// <summary>Names read so far; lets a macro know whether its body mentions varargs or kwargs.</summary>
    public HashSet<string> NamesRead { get; set; } = [];

    public Expression Parse(bool withConditional = true) => tokens.Nested(() => withConditional ? ParseConditional() : ParseOr());

    /// <summary>One expression, or several with commas between: a tuple. <paramref name="atEnd"/> tells what else may follow a trailing comma.</summary>
    public Expression ParseTuple(bool withConditional = true, Func<bool>? atEnd = null)
    {
        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0 && !isTuple) break;
            if (tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || tokens.IsOperator(")") || atEnd?.Invoke() == true) break;
            items.Add(Parse(withConditional));
            isTuple = tokens.AcceptOperator(",");
        }
        if (items.Count == 0) throw tokens.Error($"expected an expression, got {tokens.Current}");
        return items.Count == 1 && !isTuple ? items[0] : new SequenceLiteral(items, isTuple: true);
    }

    public CallSyntax ParseArguments()
    {
        tokens.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null, namedSpread = null;
        while (!tokens.AcceptOperator(")"))
        {
            if (positional.Count + named.Count > 0 || spread is not null || namedSpread is not null)
            {
                tokens.ExpectOperator(",");
                if (tokens.AcceptOperator(")")) break;
            }
            if (tokens.AcceptOperator("*")) spread = spread is null ? Parse() : throw tokens.Error("a second * argument");
            else if (tokens.AcceptOperator("**")) namedSpread = namedSpread is null ? Parse() : throw tokens.Error("a second ** argument");
            else
            {
                var value = Parse();
                if (value is Variable name && tokens.AcceptOperator("=")) named.Add((name.Name, Parse()));
                else if (named.Count > 0 || spread is not null) throw tokens.Error("a positional argument follows a named one");
                else positional.Add(value);
            }
        }
        return new(positional, named, spread, namedSpread);
    }

    /// <summary>The filters after a text that is not known yet, of {% filter a|b %} and {% set x | a %}.</summary>
    public Func<Expression, Expression> ParseFilterChain(bool first)
    {
        var filters = new List<(string Name, CallSyntax Call)>();
        while (first || tokens.AcceptOperator("|"))
        {
            first = false;
            filters.Add((ParseDottedName(), tokens.IsOperator("(") ? ParseArguments() : CallSyntax.Empty));
        }
        return text => filters.Aggregate(text, (value, filter) => new FilterCall(value, filter.Name, filter.Call));
    }

    private Expression ParseConditional()
    {
        var value = ParseOr();
        for (var links = 0; tokens.AcceptName("if"); Link(ref links))
        {
            var condition = ParseOr();
            value = new Conditional(condition, value, tokens.AcceptName("else") ? Parse() : null);
        }
        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        for (var links = 0; tokens.AcceptName("or"); Link(ref links)) left = new Logical(left, ParseAnd(), isAnd: false);
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        for (var links = 0; tokens.AcceptName("and"); Link(ref links)) left = new Logical(left, ParseNot(), isAnd: true);
        return left;
    }

    private Expression ParseNot() => tokens.AcceptName("not") ? new Not(tokens.Nested(ParseNot)) : ParseComparison();

    private Expression ParseComparison()
    {
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Value: "==" or "!=" or "<" or "<=" or ">" or ">=" }) rest.Add((tokens.Next().Value, ParseSum()));
            else if (tokens.AcceptName("in")) rest.Add(("in", ParseSum()));
            else if (tokens.IsName("not") && AcceptNotIn()) rest.Add(("not in", ParseSum()));
            else return rest.Count == 0 ? first : new Comparison(first, rest);
        }
    }

    private bool AcceptNotIn()
    {
        tokens.Next();
        return tokens.AcceptName("in") ? true : throw tokens.Error($"expected 'in' after 'not', got {tokens.Current}");
    }

    private Expression ParseSum() => ParseBinary(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        var first = ParseProduct();
        if (!tokens.IsOperator("~")) return first;
        var operands = new List<Expression> { first };
        while (tokens.AcceptOperator("~")) operands.Add(ParseProduct());
        return new Concatenation(operands);
    }

    private Expression ParseProduct() => ParseBinary(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseBinary(() => ParseUnary(), "**");

    private Expression ParseBinary(Func<Expression> operand, params ReadOnlySpan<string> operators)
    {
        var left = operand();
        for (var links = 0; tokens.Current.Kind == TokenKind.Operator && operators.Contains(tokens.Current.Value); Link(ref links))
        {
            left = new Binary(tokens.Next().Value, left, operand());
        }
        return left;
    }

    private void Link(ref int links)
    {
        if (++links > MaxChain) throw tokens.Error("the template nests too deeply");
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        Expression value;
        if (tokens.AcceptOperator("-")) value = new Signed(tokens.Nested(() => ParseUnary(withFilters: false)), negative: true);
        else if (tokens.AcceptOperator("+")) value = new Signed(tokens.Nested(() => ParseUnary(withFilters: false)), negative: false);
        else value = ParsePrimary();
        value = ParsePostfix(value);
        return withFilters ? ParseFiltersAndTests(value) : value;
    }

    private Expression ParsePrimary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                switch (token.Value)
                {
                    case "true" or "True": return new Constant(true);
                    case "false" or "False": return new Constant(false);
                    case "none" or "None": return new Constant(null);
                }
                NamesRead.Add(token.Value);
                return new Variable(token.Value);
            case TokenKind.String:
                var text = token.Value;
                while (tokens.Current.Kind == TokenKind.String) text += tokens.Next().Value;
                return new Constant(text);
            case TokenKind.Integer: return new Constant(ParseInteger(token));
            case TokenKind.Float: return new Constant(double.Parse(token.Value.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Value == "(": return ParseParentheses();
            case TokenKind.Operator when token.Value == "[": return new SequenceLiteral(ParseItems("]", () => Parse()), isTuple: false);
            case TokenKind.Operator when token.Value == "{": return new DictLiteral(ParseItems("}", ParseEntry));
            default: throw new TemplateError($"unexpected {token}", token.Line);
        }
    }

    private static object ParseInteger(Token token)
    {
        var digits = token.Value.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();
        var radix = digits.Length > 1 ? digits[1] switch { 'X' => 16, 'O' => 8, 'B' => 2, _ => 10 } : 10;
        if (digits.Length > 1000) throw new TemplateError("an integer has too many digits", token.Line);
        return PyTypes.FromInteger(digits[(radix == 10 ? 0 : 2)..].Aggregate(BigInteger.Zero, (sum, c) => sum * radix + (c <= '9' ? c - '0' : c - 'A' + 10)));
    }

    private Expression ParseParentheses()
    {
        if (tokens.AcceptOperator(")")) return new SequenceLiteral([], isTuple: true);
        var value = ParseTuple();
        tokens.ExpectOperator(")");
        return value;
    }

    private (Expression, Expression) ParseEntry()
    {
        var key = Parse();
        tokens.ExpectOperator(":");
        return (key, Parse());
    }

    private List<T> ParseItems<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!tokens.AcceptOperator(close))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.AcceptOperator(close)) break;
            }
            items.Add(item());
        }
        return items;
    }

    private Expression ParsePostfix(Expression value)
    {
        for (var links = 0; ; Link(ref links))
        {
            if (tokens.AcceptOperator("."))
            {
                value = tokens.Current.Kind == TokenKind.Integer ? new Item(value, new Constant(ParseInteger(tokens.Next()))) : new Attribute(value, tokens.ExpectName());
            }
            else if (tokens.AcceptOperator("[")) value = ParseSubscript(value);
            else if (tokens.IsOperator("(")) value = new Call(value, ParseArguments());
            else return value;
        }
    }

    private Expression ParseSubscript(Expression target)
    {
        var bounds = new Expression?[3];
        var colons = 0;
        while (!tokens.AcceptOperator("]"))
        {
            if (tokens.AcceptOperator(":"))
            {
                if (++colons > 2) throw tokens.Error("a slice has at most two colons");
            }
            else if (bounds[colons] is null) bounds[colons] = Parse();
            else throw tokens.Error($"expected ']', got {tokens.Current}");
        }
        if (colons > 0) return new Slice(target, bounds[0], bounds[1], bounds[2]);
        return new Item(target, bounds[0] ?? throw tokens.Error("expected a subscript expression"));
    }

    private Expression ParseFiltersAndTests(Expression value)
    {
        for (var links = 0; ; Link(ref links))
        {
            if (tokens.AcceptOperator("|")) value = new FilterCall(value, ParseDottedName(), tokens.IsOperator("(") ? ParseArguments() : CallSyntax.Empty);
            else if (tokens.AcceptName("is")) value = ParseTest(value);
            else if (tokens.IsOperator("(")) value = new Call(value, ParseArguments());
            else return value;
        }
    }

    private Expression ParseTest(Expression value)
    {
        var negated = tokens.AcceptName("not");
        var name = ParseDottedName();
        var call = CallSyntax.Empty;
        if (tokens.IsOperator("(")) call = ParseArguments();
        else if (StartsArgument()) call = new([ParsePostfix(ParsePrimary())], [], null, null);
        Expression test = new TestCall(value, name, call);
        return negated ? new Not(test) : test;
    }

    /// <summary>A test's single argument needs no parentheses: x is divisibleby 3.</summary>
    private bool StartsArgument() => tokens.Current switch
    {
        { Kind: TokenKind.String or TokenKind.Integer or TokenKind.Float } => true,
        { Kind: TokenKind.Operator, Value: "[" or "{" } => true,
        { Kind: TokenKind.Name, Value: "is" } => throw tokens.Error("tests cannot be chained with 'is'"),
        { Kind: TokenKind.Name, Value: not ("else" or "or" or "and" or "if" or "in" or "not" or "recursive") } => true,
        _ => false,
    };

    private string ParseDottedName()
    {
        var name = tokens.ExpectName();
        while (tokens.AcceptOperator(".")) name += "." + tokens.ExpectName();
        return name;
    }
}
