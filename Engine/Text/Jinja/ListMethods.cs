namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The methods of list, and the two that tuple has.</summary>
internal static class ListMethods
{
    public static Method<PySequence>? Find(string name, bool isTuple) => name switch
    {
        "index" => (_, list, arguments) => Index(list, arguments.Take("value")),
        "count" => (_, list, arguments) => (long)Count(list, arguments.Take("value")),
        _ when isTuple => null,
        "append" => (context, list, arguments) => Change(context, () => list.Items.Add(arguments.Take("object"))),
        "extend" => (context, list, arguments) => Change(context, () => list.Items.AddRange(PyTypes.Iterate(context, arguments.Take("iterable")))),
        "insert" => (context, list, arguments) => Change(context, () => list.Items.Insert(Place(arguments.Take("index"), list.Items.Count), arguments.Take("object"))),
        "remove" => (context, list, arguments) => Change(context, () => list.Items.RemoveAt((int)Index(list, arguments.Take("value")))),
        "pop" => (_, list, arguments) => Pop(list, arguments.TakeInt("index", -1)),
        "reverse" => (context, list, _) => Change(context, list.Items.Reverse),
        "sort" => (context, list, arguments) => Change(context, () => Sort(list, arguments.TakeBool("reverse", absent: false))),
        "clear" => (context, list, _) => Change(context, list.Items.Clear),
        "copy" => (context, list, _) => new PySequence(PyTypes.Iterate(context, list)),
        _ => null,
    };

    private static object? Change(RenderContext context, Action change)
    {
        context.Spend();
        change();
        return null;
    }

    private static long Index(PySequence list, object? value) =>
        list.Items.FindIndex(item => PyCompare.AreEqual(item, value)) is >= 0 and var index ? index : throw new TemplateError("value is not in list");

    private static int Count(PySequence list, object? value) => list.Items.Count(item => PyCompare.AreEqual(item, value));

    private static int Place(object? index, int count)
    {
        var place = PyTypes.ToIndex(index, "insert: index");
        return (int)Math.Clamp(place < 0 ? place + count : place, 0, count);
    }

    private static object? Pop(PySequence list, long index)
    {
        if (list.Items.Count == 0) throw new TemplateError("pop from empty list");
        if (index < 0) index += list.Items.Count;
        if (index < 0 || index >= list.Items.Count) throw new TemplateError("pop index out of range");
        var value = list.Items[(int)index];
        list.Items.RemoveAt((int)index);
        return value;
    }

    private static void Sort(PySequence list, bool reverse)
    {
        var sorted = SequenceFilters.Sorted(list.Items, item => item, reverse);
        list.Items.Clear();
        list.Items.AddRange(sorted);
    }
}
