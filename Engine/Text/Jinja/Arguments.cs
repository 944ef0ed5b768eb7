namespace NanoAspire.Engine.Text.Jinja;

/// <summary>
/// The arguments of a call, taken parameter by parameter: the next positional one, or the one of that name.
/// <see cref="End"/> then refuses what is left over.
/// </summary>
internal sealed class Arguments(string callee, List<object?> positional, Dictionary<string, object?>? named = null)
{
    private int _next;

    public string Callee => callee;

    public static Arguments Of(string callee, params object?[] positional) => new(callee, [.. positional]);

    public bool TryTake(string name, out object? value)
    {
        if (_next < positional.Count)
        {
            if (named?.ContainsKey(name) == true) throw new TemplateError($"{callee}() got multiple values for argument '{name}'");
            value = positional[_next++];
            return true;
        }
        value = null;
        return named?.Remove(name, out value) == true;
    }

    /// <summary>Only by name.</summary>
    public bool TryTakeNamed(string name, out object? value)
    {
        value = null;
        return named?.Remove(name, out value) == true;
    }

    public object? Take(string name) => TryTake(name, out var value) ? value : throw new TemplateError($"{callee}() is missing the argument '{name}'");

    public object? Take(string name, object? absent) => TryTake(name, out var value) ? value : absent;

    public string TakeString(string name) => AsString(name, Take(name));

    public string TakeString(string name, string absent) => TryTake(name, out var value) ? AsString(name, value) : absent;

    public string? TakeStringOrNone(string name) => TryTake(name, out var value) && value is not null ? AsString(name, value) : null;

    public bool TakeBool(string name, bool absent) => TryTake(name, out var value) ? PyTypes.IsTrue(value) : absent;

    public long TakeInt(string name, long absent) => TryTake(name, out var value) ? PyTypes.ToIndex(value, $"{callee}() argument '{name}'") : absent;

    public long? TakeIntOrNone(string name) => TryTake(name, out var value) && value is not null ? PyTypes.ToIndex(value, $"{callee}() argument '{name}'") : null;

    /// <summary>The positional arguments that are left.</summary>
    public List<object?> TakeRest()
    {
        var rest = positional[_next..];
        _next = positional.Count;
        return rest;
    }

    /// <summary>The named arguments that are left.</summary>
    public Dictionary<string, object?> TakeNamed()
    {
        var rest = named ?? [];
        named = null;
        return rest;
    }

    public void End()
    {
        if (_next < positional.Count) throw new TemplateError($"{callee}() takes at most {_next} positional arguments");
        if (named is { Count: > 0 }) throw new TemplateError($"{callee}() got an unexpected keyword argument '{named.Keys.First()}'");
    }

    private string AsString(string name, object? value) =>
        value as string ?? throw new TemplateError($"{callee}() argument '{name}' must be str, not {PyTypes.Name(value)}");
}
