namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The methods of dict.</summary>
internal static class DictMethods
{
    public static Method<PyDict>? Find(string name) => name switch
    {
        "get" => (_, dict, arguments) => Get(dict, arguments),
        "items" => (context, dict, _) => Spend(context, Items(dict)),
        "keys" => (context, dict, _) => Spend(context, new PySequence([.. dict.Entries.Select(entry => entry.Key)])),
        "values" => (context, dict, _) => Spend(context, new PySequence([.. dict.Entries.Select(entry => entry.Value)])),
        "copy" => (context, dict, _) => Update(context, new PyDict(), dict),
        "update" => (context, dict, arguments) => UpdateFrom(context, dict, arguments),
        "setdefault" => (context, dict, arguments) => SetDefault(context, dict, arguments),
        "pop" => (_, dict, arguments) => Pop(dict, arguments),
        "clear" => (_, dict, _) => Clear(dict),
        _ => null,
    };

    public static PySequence Items(PyDict dict) => new([.. dict.Entries.Select(entry => new PySequence([entry.Key, entry.Value], isTuple: true))]);

    /// <summary>dict(mapping or pairs, name=value …)</summary>
    public static PyDict Make(RenderContext context, Arguments arguments)
    {
        var dict = new PyDict();
        UpdateFrom(context, dict, arguments);
        return dict;
    }

    private static object? Get(PyDict dict, Arguments arguments)
    {
        var key = arguments.Take("key");
        var absent = arguments.Take("default", absent: null);
        return dict.TryGet(key, out var value) ? value : absent;
    }

    private static object? UpdateFrom(RenderContext context, PyDict dict, Arguments arguments)
    {
        if (arguments.TakeRest() is [var source, ..])
        {
            if (source is PyDict other) Update(context, dict, other);
            else foreach (var pair in PyTypes.Iterate(context, source))
            {
                if (PyTypes.Iterate(context, pair) is not [var key, var value]) throw new TemplateError("dict() needs pairs of a key and a value");
                dict.Set(key, value);
            }
        }
        foreach (var (name, value) in arguments.TakeNamed()) dict.Set(name, value);
        return null;
    }

    private static PyDict Update(RenderContext context, PyDict dict, PyDict other)
    {
        context.Spend(other.Count);
        foreach (var (key, value) in other.Entries.ToArray()) dict.Set(key, value);
        return dict;
    }

    private static object? SetDefault(RenderContext context, PyDict dict, Arguments arguments)
    {
        var key = arguments.Take("key");
        var absent = arguments.Take("default", absent: null);
        context.Spend();
        if (dict.TryGet(key, out var value)) return value;
        dict.Set(key, absent);
        return absent;
    }

    private static object? Pop(PyDict dict, Arguments arguments)
    {
        var key = arguments.Take("key");
        var hasDefault = arguments.TryTake("default", out var absent);
        if (!dict.TryGet(key, out var value)) return hasDefault ? absent : throw new TemplateError("pop: the key is not in the dict");
        dict.Remove(key);
        return value;
    }

    private static object? Clear(PyDict dict)
    {
        dict.Clear();
        return null;
    }

    private static PySequence Spend(RenderContext context, PySequence items)
    {
        context.Spend(items.Items.Count);
        return items;
    }
}
