using System.Collections.Frozen;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The functions that every template has.</summary>
internal static class Globals
{
    private const long MaxRange = 100_000;

    public static FrozenDictionary<string, Function> All { get; } = new Function[]
    {
        new("range", Range),
        new("dict", DictMethods.Make),
        new("namespace", MakeNamespace),
        new("raise_exception", (context, arguments) => throw new TemplateError(PyFormat.Str(context, arguments.Take("message")), raised: true)),
        new("strftime_now", (context, arguments) => TimeFormat.Format(context.Time.GetLocalNow(), arguments.TakeString("format"))),
    }.ToFrozenDictionary(function => function.Name);

    private static PySequence Range(RenderContext context, Arguments arguments)
    {
        var bounds = arguments.TakeRest().ConvertAll(value => PyTypes.ToIndex(value, "range() argument"));
        arguments.End();
        var (start, stop, step) = bounds switch
        {
            [var end] => (0L, end, 1L),
            [var from, var to] => (from, to, 1L),
            [var from, var to, var by] => (from, to, by),
            _ => throw new TemplateError($"range expected 1 to 3 arguments, got {bounds.Count}"),
        };
        if (step == 0) throw new TemplateError("range() arg 3 must not be zero");
        var distance = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        var size = Int128.Abs(step);
        var count = distance <= 0 ? 0 : (distance + size - 1) / size;
        if (count > MaxRange) throw new TemplateError($"a range of more than {MaxRange} numbers");
        context.Spend((int)count);
        return new PySequence([.. Enumerable.Range(0, (int)count).Select(i => (object?)(start + i * step))]);
    }

    private static Namespace MakeNamespace(RenderContext context, Arguments arguments)
    {
        var names = new Namespace();
        foreach (var (key, value) in DictMethods.Make(context, arguments).Entries)
        {
            names.Attributes[key as string ?? throw new TemplateError("the names of a namespace must be str")] = value;
        }
        return names;
    }
}
