namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Filters that order, cut and pick from sequences.</summary>
internal static class SequenceFilters
{
    public static object? End(RenderContext context, object? value, bool first)
    {
        var items = PyTypes.Iterate(context, value);
        if (items.Count == 0) return new Undefined($"no {(first ? "first" : "last")} item, sequence was empty");
        return items[first ? 0 : ^1];
    }

    public static object Reverse(RenderContext context, object? value, Arguments arguments)
    {
        var items = PyTypes.Iterate(context, value);
        items.Reverse();
        return value is string ? string.Concat(items) : new PySequence(items);
    }

    public static object Sort(RenderContext context, object? value, Arguments arguments)
    {
        var reverse = arguments.TakeBool("reverse", absent: false);
        var caseSensitive = arguments.TakeBool("case_sensitive", absent: false);
        var path = arguments.Take("attribute", absent: null);
        return new PySequence(Sorted(PyTypes.Iterate(context, value), item => KeysOf(item, path, caseSensitive), reverse));
    }

    public static object Unique(RenderContext context, object? value, Arguments arguments)
    {
        var caseSensitive = arguments.TakeBool("case_sensitive", absent: false);
        var path = arguments.Take("attribute", absent: null);
        var seen = new PyDict();
        return new PySequence(PyTypes.Iterate(context, value).FindAll(item =>
        {
            var key = KeyOf(item, path, caseSensitive);
            if (seen.TryGet(key, out _)) return false;
            seen.Set(key, true);
            return true;
        }));
    }

    public static object? Extreme(RenderContext context, object? value, Arguments arguments, int sign)
    {
        var caseSensitive = arguments.TakeBool("case_sensitive", absent: false);
        var path = arguments.Take("attribute", absent: null);
        var items = PyTypes.Iterate(context, value);
        if (items.Count == 0) return new Undefined("no aggregated item, sequence was empty");
        return items.Aggregate((best, item) => PyCompare.Order(KeyOf(item, path, caseSensitive), KeyOf(best, path, caseSensitive)) * sign > 0 ? item : best);
    }

    public static object DictSort(RenderContext context, object? value, Arguments arguments)
    {
        var caseSensitive = arguments.TakeBool("case_sensitive", absent: false);
        var by = arguments.TakeString("by", "key") switch
        {
            "key" => 0L,
            "value" => 1L,
            _ => throw new TemplateError("You can only sort by either \"key\" or \"value\""),
        };
        var reverse = arguments.TakeBool("reverse", absent: false);
        if (PyTypes.Defined(value) is not PyDict dict) throw new TemplateError($"'{PyTypes.Describe(value)}' has no attribute 'items'");
        context.Spend(dict.Count);
        return new PySequence(Sorted(DictMethods.Items(dict).Items, item => KeyOf(item, by, caseSensitive), reverse));
    }

    public static object GroupBy(RenderContext context, object? value, Arguments arguments)
    {
        var path = arguments.Take("attribute");
        var hasDefault = arguments.TryTake("default", out var absent);
        var caseSensitive = arguments.TakeBool("case_sensitive", absent: false);
        var groups = new List<PyGroup>();
        foreach (var item in Sorted(PyTypes.Iterate(context, value), Key, reverse: false))
        {
            var key = Key(item);
            if (groups is [.., var last] && PyCompare.AreEqual(Fold(last.Items[0], caseSensitive), key)) ((PySequence)last.Items[1]!).Items.Add(item);
            else groups.Add(new PyGroup(Raw(item), new PySequence([item])));
        }
        return new PySequence([.. groups]);

        object? Raw(object? item) => Members.Path(item, path) is var key && key is Undefined && hasDefault ? absent : key;
        object? Key(object? item) => Fold(Raw(item), caseSensitive);
    }

    public static object Batch(RenderContext context, object? value, Arguments arguments)
    {
        var size = Count(arguments.Take("linecount"), "batch: linecount");
        var fill = arguments.Take("fill_with", absent: null);
        var batches = PyTypes.Iterate(context, value).Chunk(size).Select(chunk => chunk.ToList()).ToList();
        if (fill is not null && batches is [.., var last])
        {
            context.Spend(size - last.Count);
            last.AddRange(Enumerable.Repeat(fill, size - last.Count));
        }
        return new PySequence([.. batches.Select(batch => new PySequence(batch))]);
    }

    /// <summary>So many columns, the first ones longer by one where it does not divide.</summary>
    public static object Slice(RenderContext context, object? value, Arguments arguments)
    {
        var slices = Count(arguments.Take("slices"), "slice: slices");
        var fill = arguments.Take("fill_with", absent: null);
        var items = PyTypes.Iterate(context, value);
        context.Spend(slices);
        var (each, longer) = Math.DivRem(items.Count, slices);
        var columns = new List<object?>();
        for (int i = 0, at = 0; i < slices; i++)
        {
            var size = each + (i < longer ? 1 : 0);
            var column = items.GetRange(at, size);
            if (fill is not null && i >= longer) column.Add(fill);
            columns.Add(new PySequence(column));
            at += size;
        }
        return new PySequence(columns);
    }

    private static int Count(object? value, string what) =>
        PyTypes.ToIndex(value, what) is >= 1 and <= 1_000_000 and var count ? (int)count : throw new TemplateError($"{what} is out of range");

    /// <summary>A stable sort; reversed, equal items still keep their order.</summary>
    public static List<object?> Sorted(List<object?> items, Func<object?, object?> key, bool reverse)
    {
        var byKey = Comparer<object?>.Create((a, b) => PyCompare.Order(a, b));
        try
        {
            return [.. reverse ? items.OrderByDescending(key, byKey) : items.OrderBy(key, byKey)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateError inner)
        {
            throw new TemplateError(inner.Message);                     // sorting wraps what a comparison throws
        }
    }

    /// <summary>"a,b" sorts by a, then by b.</summary>
    private static object? KeysOf(object? item, object? path, bool caseSensitive) => path is string text && text.Contains(',', StringComparison.Ordinal)
        ? new PySequence([.. text.Split(',').Select(part => KeyOf(item, part, caseSensitive))], isTuple: true)
        : KeyOf(item, path, caseSensitive);

    private static object? KeyOf(object? item, object? path, bool caseSensitive) => Fold(path is null ? item : Members.Path(item, path), caseSensitive);

    private static object? Fold(object? key, bool caseSensitive) => key is string text && !caseSensitive ? text.ToLowerInvariant() : key;
}
