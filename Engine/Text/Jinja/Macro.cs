namespace NanoAspire.Engine.Text.Jinja;

/// <summary>What {% macro name(a, b=1) %} says. A macro takes more arguments than it names only if its body mentions varargs or kwargs.</summary>
internal sealed record MacroDefinition(string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, Body Body, bool UsesVarargs, bool UsesKwargs);

/// <summary>A macro and the scope in which it stands: it sees the variables there, not those where it is called.</summary>
internal sealed class Macro(MacroDefinition definition, Scope scope) : ICallable
{
    public string Name => definition.Name;

    public object? Call(RenderContext context, Arguments arguments) => Call(context, arguments, caller: null);

    /// <summary>With the body of a {% call %}, null when there is none.</summary>
    public string Call(RenderContext context, Arguments arguments, object? caller)
    {
        var inner = new Scope(scope);
        inner["caller"] = caller ?? new Undefined("'caller' is undefined");
        foreach (var (name, absent) in definition.Parameters)
        {
            inner[name] = arguments.TryTake(name, out var value) ? value
                : absent is not null ? absent.Evaluate(context, inner)
                : new Undefined($"parameter '{name}' was not provided");
        }
        if (definition.UsesVarargs) inner["varargs"] = new PySequence(arguments.TakeRest(), isTuple: true);
        if (definition.UsesKwargs) inner["kwargs"] = Named(arguments);
        arguments.End();
        return context.Nested(() => definition.Body.Capture(context, inner));
    }

    private static PyDict Named(Arguments arguments)
    {
        var dict = new PyDict();
        foreach (var (name, value) in arguments.TakeNamed()) dict.Set(name, value);
        return dict;
    }
}
