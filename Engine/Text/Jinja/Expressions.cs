namespace NanoAspire.Engine.Text.Jinja;

/// <summary>An expression of a template. Immutable: one tree serves every rendering.</summary>
internal abstract class Expression
{
    public abstract object? Evaluate(RenderContext context, Scope scope);
}

internal sealed class Constant(object? value) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => value;
}

internal sealed class Variable(string name) : Expression
{
    public string Name => name;

    public override object? Evaluate(RenderContext context, Scope scope) => scope.Find(name);
}

internal sealed class SequenceLiteral(IReadOnlyList<Expression> items, bool isTuple) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => new PySequence([.. items.Select(item => item.Evaluate(context, scope))], isTuple);
}

internal sealed class DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> items) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        var dict = new PyDict();
        foreach (var (key, value) in items) dict.Set(key.Evaluate(context, scope), value.Evaluate(context, scope));
        return dict;
    }
}

/// <summary>x.name</summary>
internal sealed class Attribute(Expression target, string name) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => Members.Attribute(target.Evaluate(context, scope), name);
}

/// <summary>x[key], and x.0</summary>
internal sealed class Item(Expression target, Expression key) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => Members.Item(target.Evaluate(context, scope), key.Evaluate(context, scope));
}

/// <summary>x[start:stop:step]</summary>
internal sealed class Slice(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => Members.Slice(
        target.Evaluate(context, scope), start?.Evaluate(context, scope), stop?.Evaluate(context, scope), step?.Evaluate(context, scope));
}

internal sealed class Not(Expression operand) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) => !PyTypes.IsTrue(operand.Evaluate(context, scope));
}

/// <summary>-x and +x</summary>
internal sealed class Signed(Expression operand, bool negative) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        var value = PyTypes.Defined(operand.Evaluate(context, scope));
        if (PyTypes.AsInteger(value) is { } n) return PyTypes.FromInteger(negative ? -n : n);
        if (value is double d) return negative ? -d : d;
        throw new TemplateError($"bad operand type for unary {(negative ? '-' : '+')}: '{PyTypes.Name(value)}'");
    }
}

/// <summary>and, or: the value of the operand that decides.</summary>
internal sealed class Logical(Expression left, Expression right, bool isAnd) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        RenderContext.CheckStack();
        var value = left.Evaluate(context, scope);
        return PyTypes.IsTrue(value) == isAnd ? right.Evaluate(context, scope) : value;
    }
}

internal sealed class Binary(string op, Expression left, Expression right) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        RenderContext.CheckStack();
        return PyOperators.Apply(context, op, left.Evaluate(context, scope), right.Evaluate(context, scope));
    }
}

/// <summary>a ~ b ~ c: the texts of the operands, joined.</summary>
internal sealed class Concatenation(IReadOnlyList<Expression> operands) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) =>
        context.Made(string.Concat(operands.Select(operand => PyFormat.Str(context, operand.Evaluate(context, scope)))));
}

/// <summary>a &lt; b == c: every neighbouring pair, each operand evaluated once.</summary>
internal sealed class Comparison(Expression first, IReadOnlyList<(string Op, Expression Operand)> rest) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        var left = first.Evaluate(context, scope);
        foreach (var (op, operand) in rest)
        {
            var right = operand.Evaluate(context, scope);
            if (!PyOperators.Compare(op, left, right)) return false;
            left = right;
        }
        return true;
    }
}

/// <summary>a if condition else b; without else, undefined.</summary>
internal sealed class Conditional(Expression condition, Expression then, Expression? otherwise) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        if (PyTypes.IsTrue(condition.Evaluate(context, scope))) return then.Evaluate(context, scope);
        return otherwise is null
            ? new Undefined("the inline if-expression evaluated to false and no else section was defined")
            : otherwise.Evaluate(context, scope);
    }
}

internal sealed class FilterCall(Expression target, string name, CallSyntax call) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        RenderContext.CheckStack();
        var value = target.Evaluate(context, scope);
        return Filters.Apply(context, name, value, call.Evaluate(context, scope, name));
    }
}

internal sealed class TestCall(Expression target, string name, CallSyntax call) : Expression
{
    public override object? Evaluate(RenderContext context, Scope scope) =>
        Tests.Apply(name, target.Evaluate(context, scope), call.Evaluate(context, scope, name));
}

internal sealed class Call(Expression target, CallSyntax call) : Expression
{
    public Expression Target => target;
    public CallSyntax Arguments => call;

    public override object? Evaluate(RenderContext context, Scope scope)
    {
        RenderContext.CheckStack();
        return PyTypes.Defined(target.Evaluate(context, scope)) is ICallable callable and var value
            ? callable.Call(context, call.Evaluate(context, scope, (value as Function)?.Name ?? (value as Macro)?.Name ?? "loop"))
            : throw new TemplateError("a value that is called is not callable");
    }
}

/// <summary>The arguments as they are written: positional, named, *spread and **spread.</summary>
internal sealed class CallSyntax(IReadOnlyList<Expression> positional, IReadOnlyList<(string Name, Expression Value)> named, Expression? spread, Expression? namedSpread)
{
    public static CallSyntax Empty { get; } = new([], [], null, null);

    public Arguments Evaluate(RenderContext context, Scope scope, string callee)
    {
        var values = new List<object?>(positional.Count);
        foreach (var argument in positional) values.Add(argument.Evaluate(context, scope));
        if (spread is not null) values.AddRange(PyTypes.Iterate(context, spread.Evaluate(context, scope)));
        if (named.Count == 0 && namedSpread is null) return new(callee, values);

        var names = new Dictionary<string, object?>();
        foreach (var (name, value) in named) names[name] = value.Evaluate(context, scope);
        if (namedSpread is null) return new(callee, values, names);
        if (namedSpread.Evaluate(context, scope) is not PyDict dict) throw new TemplateError($"{callee}() argument after ** must be a mapping");
        foreach (var (key, value) in dict.Entries) names[key as string ?? throw new TemplateError("keywords must be strings")] = value;
        return new(callee, values, names);
    }
}
