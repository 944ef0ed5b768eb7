namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Parses a template into statements.</summary>
internal sealed class TemplateParser
{
    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private TemplateParser(TokenStream tokens) => (_tokens, _expressions) = (tokens, new(tokens));

    /// <exception cref="TemplateError">The template is malformed or uses a statement that is not supported.</exception>
    public static Body Parse(string source)
    {
        var parser = new TemplateParser(new TokenStream(TemplateLexer.Tokenize(source)));
        return parser.ParseBody().Body;
    }

    /// <summary>Up to one of the tags in <paramref name="ends"/>, whose name is read and returned; without any, up to the end.</summary>
    private (Body Body, string End) ParseBody(params string[] ends)
    {
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.End when ends.Length == 0: return (new Body(statements), "");
                case TokenKind.End: throw new TemplateError($"unexpected end of template, expected '{string.Join("' or '", ends)}'", token.Line);
                case TokenKind.Text: statements.Add(new TextStatement(token.Line, token.Value)); break;
                case TokenKind.PrintBegin:
                    statements.Add(new PrintStatement(token.Line, _expressions.ParseTuple()));
                    _tokens.Expect(TokenKind.PrintEnd);
                    break;
                default:
                    var tag = _tokens.ExpectName();
                    if (ends.Contains(tag)) return (new Body(statements), tag);
                    statements.Add(_tokens.Nested(() => ParseStatement(tag, token.Line)));
                    break;
            }
        }
    }

    private Body ParseBlock(string end)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        var (body, _) = ParseBody(end);
        _tokens.Expect(TokenKind.BlockEnd);
        return body;
    }

    private Statement ParseStatement(string tag, int line)
    {
        switch (tag)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro":
                return new MacroStatement(line, ParseMacro(_tokens.ExpectName(), ParseParameters(), "endmacro"));
            case "call": return ParseCall(line);
            case "filter":
                var filter = _expressions.ParseFilterChain(first: true);
                return new FilterStatement(line, ParseBlock("endfilter"), filter);
            case "with": return ParseWith(line);
            case "generation": return new ScopeStatement(line, [], ParseBlock("endgeneration"));
            case "break" or "continue":
                if (_loops == 0) throw new TemplateError($"'{tag}' outside a loop", line);
                _tokens.Expect(TokenKind.BlockEnd);
                return new JumpStatement(line, tag == "break" ? Flow.Break : Flow.Continue);
            default: throw new TemplateError($"the tag '{tag}' is unknown or not supported here", line);
        }
    }

    private IfStatement ParseIf(int line)
    {
        var branches = new List<(Expression, Body)>();
        while (true)
        {
            var condition = _expressions.ParseTuple(withConditional: false);
            _tokens.Expect(TokenKind.BlockEnd);
            var (body, end) = ParseBody("elif", "else", "endif");
            branches.Add((condition, body));
            if (end == "elif") continue;
            return new IfStatement(line, branches, end == "else" ? ParseBlock("endif") : EndBlock());
        }
    }

    private Body? EndBlock()
    {
        _tokens.Expect(TokenKind.BlockEnd);
        return null;
    }

    private ForStatement ParseFor(int line)
    {
        var target = ParseTarget(allowAttribute: false);
        if (!_tokens.AcceptName("in")) throw _tokens.Error($"expected 'in', got {_tokens.Current}");
        var items = _expressions.ParseTuple(withConditional: false, () => _tokens.IsName("recursive"));
        var condition = _tokens.AcceptName("if") ? _expressions.Parse() : null;
        var recursive = _tokens.AcceptName("recursive");
        _tokens.Expect(TokenKind.BlockEnd);
        _loops++;
        var (body, end) = ParseBody("else", "endfor");
        _loops--;
        return new ForStatement(line, target, items, condition, body, end == "else" ? ParseBlock("endfor") : EndBlock(), recursive);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(allowAttribute: true);
        if (_tokens.AcceptOperator("="))
        {
            var value = _expressions.ParseTuple();
            _tokens.Expect(TokenKind.BlockEnd);
            return new SetStatement(line, target, value);
        }
        var filter = _expressions.ParseFilterChain(first: false);
        return new SetBlockStatement(line, target, ParseBlock("endset"), filter);
    }

    private ScopeStatement ParseWith(int line)
    {
        var assignments = new List<(Target, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (assignments.Count > 0) _tokens.ExpectOperator(",");
            var target = new NameTarget(_tokens.ExpectName());
            _tokens.ExpectOperator("=");
            assignments.Add((target, _expressions.Parse()));
        }
        return new ScopeStatement(line, assignments, ParseBlock("endwith"));
    }

    private CallStatement ParseCall(int line)
    {
        var caller = _tokens.IsOperator("(") ? ParseParameters() : [];
        var target = _expressions.Parse();
        if (target is not Call call) throw new TemplateError("expected a call", line);
        return new CallStatement(line, ParseMacro("caller", caller, "endcall"), call.Target, call.Arguments);
    }

    private MacroDefinition ParseMacro(string name, List<(string, Expression?)> parameters, string end)
    {
        var (outerNames, outerLoops) = (_expressions.NamesRead, _loops);
        (_expressions.NamesRead, _loops) = ([], 0);
        var body = ParseBlock(end);
        var read = _expressions.NamesRead;
        (_expressions.NamesRead, _loops) = (outerNames, outerLoops);
        return new(name, parameters, body, read.Contains("varargs"), read.Contains("kwargs"));
    }

    private List<(string, Expression?)> ParseParameters()
    {
        var parameters = new List<(string, Expression?)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.AcceptOperator(")"))
        {
            if (parameters.Count > 0) _tokens.ExpectOperator(",");
            var name = _tokens.ExpectName();
            var value = _tokens.AcceptOperator("=") ? _expressions.Parse() : null;
            if (value is null && parameters is [.., (_, not null)]) throw _tokens.Error("a parameter without a default follows one with a default");
            parameters.Add((name, value));
        }
        return parameters;
    }

    private Target ParseTarget(bool allowAttribute)
    {
        var targets = new List<Target>();
        var isTuple = false;
        do
        {
            if (isTuple && (_tokens.IsName("in") || _tokens.IsOperator("=") || _tokens.IsOperator(")"))) break;
            targets.Add(ParseSingleTarget(allowAttribute));
            isTuple |= _tokens.IsOperator(",");
        }
        while (_tokens.AcceptOperator(","));
        return isTuple ? new TupleTarget(targets) : targets[0];
    }

    private Target ParseSingleTarget(bool allowAttribute)
    {
        if (_tokens.AcceptOperator("("))
        {
            var inner = _tokens.Nested(() => ParseTarget(allowAttribute));
            _tokens.ExpectOperator(")");
            return inner;
        }
        var name = _tokens.ExpectName();
        if (name is "true" or "True" or "false" or "False" or "none" or "None") throw _tokens.Error($"cannot assign to '{name}'");
        return allowAttribute && _tokens.AcceptOperator(".") ? new AttributeTarget(name, _tokens.ExpectName()) : new NameTarget(name);
    }
}
