namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Variables of a template, a loop iteration, a macro call or a block, and those around it.</summary>
internal sealed class Scope(Scope? parent)
{
    private readonly Dictionary<string, object?> _variables = [];

    public object? this[string name]
    {
        set => _variables[name] = value;
    }

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out var value)) return value;
        }
        return Globals.All.TryGetValue(name, out var global) ? global : new Undefined($"'{name}' is undefined");
    }

    private Scope? Parent => parent;
}
