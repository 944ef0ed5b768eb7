namespace NanoAspire.Engine.Text.Jinja;

/// <summary>map, select and their relatives: filters that take the name of a filter or a test.</summary>
internal static class SelectionFilters
{
    public static object Map(RenderContext context, object? value, Arguments arguments)
    {
        if (arguments.TryTakeNamed("attribute", out var path))
        {
            var hasDefault = arguments.TryTakeNamed("default", out var absent);
            return Each(context, value, item => Members.Path(item, path) is var found && found is Undefined && hasDefault ? absent : found);
        }
        var name = arguments.TakeString("filter");
        var (positional, named) = (arguments.TakeRest(), arguments.TakeNamed());
        return Each(context, value, item => Filters.Apply(context, name, item, new(name, [.. positional], new(named))));
    }

    public static object Select(RenderContext context, object? value, Arguments arguments, bool keep) =>
        Where(context, value, item => item, arguments, keep);

    public static object SelectByAttribute(RenderContext context, object? value, Arguments arguments, bool keep)
    {
        var path = arguments.Take("attribute");
        return Where(context, value, item => Members.Path(item, path), arguments, keep);
    }

    private static PySequence Where(RenderContext context, object? value, Func<object?, object?> key, Arguments arguments, bool keep)
    {
        if (!arguments.TryTake("test", out var test))
        {
            return new PySequence(PyTypes.Iterate(context, value).FindAll(item => PyTypes.IsTrue(key(item)) == keep));
        }
        var name = test as string ?? throw new TemplateError("the name of a test must be a str");
        var (positional, named) = (arguments.TakeRest(), arguments.TakeNamed());
        return new PySequence(PyTypes.Iterate(context, value).FindAll(item => Tests.Apply(name, key(item), new(name, [.. positional], new(named))) == keep));
    }

    private static PySequence Each(RenderContext context, object? value, Func<object?, object?> body) =>
        new([.. PyTypes.Iterate(context, value).Select(body)]);
}
