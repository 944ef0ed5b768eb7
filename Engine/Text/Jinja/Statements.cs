namespace NanoAspire.Engine.Text.Jinja;

internal enum Flow { Next, Break, Continue }

/// <summary>A statement of a template. Immutable: one tree serves every rendering.</summary>
internal abstract class Statement(int line)
{
    public Flow Execute(RenderContext context, Scope scope)
    {
        context.Line = line;
        return Run(context, scope);
    }

    protected abstract Flow Run(RenderContext context, Scope scope);
}

internal sealed class Body(IReadOnlyList<Statement> statements)
{
    public Flow Execute(RenderContext context, Scope scope)
    {
        foreach (var statement in statements)
        {
            if (statement.Execute(context, scope) is not Flow.Next and var flow) return flow;
        }
        return Flow.Next;
    }

    /// <summary>What the body writes, in a scope of its own.</summary>
    public string Capture(RenderContext context, Scope scope) => context.Capture(() => Execute(context, scope));
}

internal sealed class TextStatement(int line, string text) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        context.Write(text);
        return Flow.Next;
    }
}

/// <summary>{{ expression }}</summary>
internal sealed class PrintStatement(int line, Expression expression) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        context.Write(PyFormat.Str(context, expression.Evaluate(context, scope)));
        return Flow.Next;
    }
}

internal sealed class IfStatement(int line, IReadOnlyList<(Expression Condition, Body Body)> branches, Body? otherwise) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        foreach (var (condition, body) in branches)
        {
            if (PyTypes.IsTrue(condition.Evaluate(context, scope))) return body.Execute(context, scope);
        }
        return otherwise?.Execute(context, scope) ?? Flow.Next;
    }
}

/// <summary>{% set a, b = expression %}, {% set ns.a = expression %}</summary>
internal sealed class SetStatement(int line, Target target, Expression value) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        target.Assign(context, scope, value.Evaluate(context, scope));
        return Flow.Next;
    }
}

/// <summary>{% set a %}…{% endset %}</summary>
internal sealed class SetBlockStatement(int line, Target target, Body body, Func<Expression, Expression> filter) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        var text = new Constant(body.Capture(context, new Scope(scope)));
        target.Assign(context, scope, filter(text).Evaluate(context, scope));
        return Flow.Next;
    }
}

/// <summary>{% filter name %}…{% endfilter %}</summary>
internal sealed class FilterStatement(int line, Body body, Func<Expression, Expression> filter) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        var text = new Constant(body.Capture(context, new Scope(scope)));
        context.Write(PyFormat.Str(context, filter(text).Evaluate(context, scope)));
        return Flow.Next;
    }
}

/// <summary>{% with a = 1 %}…{% endwith %}, and {% generation %}, which only delimits: a body with a scope of its own.</summary>
internal sealed class ScopeStatement(int line, IReadOnlyList<(Target Target, Expression Value)> assignments, Body body) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in assignments) target.Assign(context, inner, value.Evaluate(context, scope));
        return body.Execute(context, inner);
    }
}

/// <summary>{% break %} and {% continue %}</summary>
internal sealed class JumpStatement(int line, Flow flow) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope) => flow;
}

internal sealed class MacroStatement(int line, MacroDefinition definition) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        scope[definition.Name] = new Macro(definition, scope);
        return Flow.Next;
    }
}

/// <summary>{% call(a) macro() %}…{% endcall %}: the macro finds the body as caller().</summary>
internal sealed class CallStatement(int line, MacroDefinition body, Expression target, CallSyntax call) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        if (PyTypes.Defined(target.Evaluate(context, scope)) is not Macro macro) throw new TemplateError("only a macro can be called with a body");
        context.Write((string)macro.Call(context, call.Evaluate(context, scope, macro.Name), new Macro(body, scope)));
        return Flow.Next;
    }
}

/// <summary>Where a value is put: a name, a namespace's attribute, or a tuple of targets.</summary>
internal abstract class Target
{
    public abstract void Assign(RenderContext context, Scope scope, object? value);
}

internal sealed class NameTarget(string name) : Target
{
    public override void Assign(RenderContext context, Scope scope, object? value) => scope[name] = value;
}

internal sealed class AttributeTarget(string target, string attribute) : Target
{
    public override void Assign(RenderContext context, Scope scope, object? value)
    {
        if (PyTypes.Defined(scope.Find(target)) is not Namespace names) throw new TemplateError("cannot assign attribute on non-namespace object");
        names.Attributes[attribute] = value;
    }
}

internal sealed class TupleTarget(IReadOnlyList<Target> targets) : Target
{
    public override void Assign(RenderContext context, Scope scope, object? value)
    {
        var items = PyTypes.Iterate(context, value);
        if (items.Count > targets.Count) throw new TemplateError($"too many values to unpack (expected {targets.Count})");
        if (items.Count < targets.Count) throw new TemplateError($"not enough values to unpack (expected {targets.Count}, got {items.Count})");
        foreach (var (target, item) in targets.Zip(items)) target.Assign(context, scope, item);
    }
}
