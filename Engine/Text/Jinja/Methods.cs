namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The methods of str, list, tuple and dict, as values bound to their object.</summary>
internal static class Methods
{
    /// <summary>Null when the value has no method of that name.</summary>
    public static Function? Find(object? target, string name) => target switch
    {
        string text => StringMethods.Find(name) is { } method ? Bind(name, (context, arguments) => method(context, text, arguments)) : null,
        PySequence sequence => ListMethods.Find(name, sequence.IsTuple) is { } method ? Bind(name, (context, arguments) => method(context, sequence, arguments)) : null,
        PyDict dict => DictMethods.Find(name) is { } method ? Bind(name, (context, arguments) => method(context, dict, arguments)) : null,
        double d when name == "is_integer" => Bind(name, (_, _) => double.IsInteger(d)),
        _ => null,
    };

    private static Function Bind(string name, Func<RenderContext, Arguments, object?> method) => new(name, (context, arguments) =>
    {
        var result = method(context, arguments);
        arguments.End();
        return result is string text ? context.Made(text) : result;
    });
}
