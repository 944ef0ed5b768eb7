namespace NanoAspire.Engine.Text.Jinja;

/// <summary>x.name, x[key] and slices. Jinja lets both spellings reach both attributes and items; they differ in which comes first.</summary>
internal static class Members
{
    public static object? Attribute(object? target, string name) =>
        TryAttribute(PyTypes.Defined(target), name, out var value) || TryItem(target, name, out value) ? value : Missing(target, name);

    /// <summary>The attr filter: never an item.</summary>
    public static object? AttributeOnly(object? target, string name) =>
        TryAttribute(PyTypes.Defined(target), name, out var value) ? value : Missing(target, name);

    public static object? Item(object? target, object? key) =>
        TryItem(PyTypes.Defined(target), key, out var value) || (key is string name && TryAttribute(target, name, out value)) ? value : Missing(target, key);

    public static object? Slice(object? target, object? start, object? stop, object? step)
    {
        var by = Bound(step) ?? 1;
        if (by == 0) throw new TemplateError("slice step cannot be zero");
        switch (PyTypes.Defined(target))
        {
            case PySequence sequence:
                return new PySequence([.. Indices(sequence.Items.Count, Bound(start), Bound(stop), by).Select(i => sequence.Items[i])], sequence.IsTuple);
            case string text:
                var characters = PyText.Characters(text).ToArray();
                return string.Concat(Indices(characters.Length, Bound(start), Bound(stop), by).Select(i => characters[i]));
            default:
                return new Undefined($"'{PyTypes.Describe(target)}' cannot be sliced");
        }
    }

    /// <summary>An attribute path of a filter: "function.name", "0.text".</summary>
    public static object? Path(object? target, object? path)
    {
        if (path is not string text) return Item(target, path);
        foreach (var part in text.Split('.'))
        {
            target = Item(target, part.Length > 0 && part.All(char.IsAsciiDigit) && long.TryParse(part, out var index) ? index : part);
        }
        return target;
    }

    private static bool TryAttribute(object? target, string name, out object? value)
    {
        switch (target)
        {
            case Namespace names when names.Attributes.TryGetValue(name, out value): return true;
            case LoopVariable loop: return loop.TryAttribute(name, out value);
            case PyGroup group when name is "grouper" or "list":
                value = group.Items[name == "grouper" ? 0 : 1];
                return true;
            case Macro macro when name == "name":
                value = macro.Name;
                return true;
        }
        value = Methods.Find(target, name);
        return value is not null;
    }

    private static bool TryItem(object? target, object? key, out object? value)
    {
        value = null;
        switch (target)
        {
            case PyDict dict: return key is not (PyDict or PySequence { IsTuple: false }) && dict.TryGet(key, out value);
            case PySequence sequence when key is long or bool:
                var index = Normalize(PyTypes.ToIndex(key, "an index"), sequence.Items.Count);
                if (index < 0) return false;
                value = sequence.Items[index];
                return true;
            case string text when key is long or bool:
                var at = Normalize(PyTypes.ToIndex(key, "an index"), PyText.Length(text));
                if (at < 0) return false;
                value = PyText.Characters(text).ElementAt(at);
                return true;
            default: return false;
        }
    }

    /// <summary>-1 when out of range.</summary>
    private static int Normalize(long index, int length)
    {
        if (index < 0) index += length;
        return index >= 0 && index < length ? (int)index : -1;
    }

    private static Undefined Missing(object? target, object? key) => new(key is string name
        ? $"'{PyTypes.Describe(target)}' has no attribute '{name}'"
        : $"{PyTypes.Describe(target)} has no element {(key is long n ? n.ToString(System.Globalization.CultureInfo.InvariantCulture) : PyTypes.Describe(key))}");

    private static long? Bound(object? value) => value is null ? null : PyTypes.ToIndex(value, "a slice index");

    private static IEnumerable<int> Indices(int length, long? start, long? stop, long step)
    {
        var (low, high) = step > 0 ? (0L, (long)length) : (-1L, length - 1L);
        var from = Clamp(start, step > 0 ? low : high);
        var to = Clamp(stop, step > 0 ? high : low);
        for (var i = from; step > 0 ? i < to : i > to; i += step) yield return (int)i;

        long Clamp(long? index, long absent) => index is not { } i ? absent : Math.Clamp(i < 0 ? i + length : i, low, high);
    }
}
