using System.Collections.Frozen;

namespace NanoAspire.Engine.Text.Jinja;

internal delegate object? Filter(RenderContext context, object? value, Arguments arguments);

/// <summary>The filters by name.</summary>
internal static class Filters
{
    private static readonly FrozenDictionary<string, Filter> All = new Dictionary<string, Filter>
    {
        ["default"] = Default,
        ["d"] = Default,
        ["tojson"] = ToJson,
        ["from_json"] = (_, value, _) => PyJson.Parse(Text(value)),
        ["items"] = (_, value, _) => Items(value),
        ["attr"] = (_, value, arguments) => Members.AttributeOnly(value, arguments.TakeString("name")),

        ["string"] = (context, value, _) => PyFormat.Str(context, value),
        ["safe"] = (context, value, _) => PyFormat.Str(context, value),
        ["escape"] = TextFilters.Escape,
        ["e"] = TextFilters.Escape,
        ["forceescape"] = TextFilters.Escape,
        ["upper"] = (context, value, _) => PyFormat.Str(context, value).ToUpperInvariant(),
        ["lower"] = (context, value, _) => PyFormat.Str(context, value).ToLowerInvariant(),
        ["capitalize"] = (context, value, _) => PyText.Capitalize(PyFormat.Str(context, value)),
        ["title"] = TextFilters.Title,
        ["trim"] = (context, value, arguments) => PyText.Strip(PyFormat.Str(context, value), arguments.TakeStringOrNone("chars")),
        ["replace"] = TextFilters.Replace,
        ["indent"] = TextFilters.Indent,
        ["center"] = TextFilters.Center,
        ["format"] = TextFilters.Format,
        ["truncate"] = TextFilters.Truncate,
        ["wordcount"] = (context, value, _) => (long)StringMethods.Words(PyFormat.Str(context, value)).Count,
        ["urlencode"] = TextFilters.UrlEncode,
        ["join"] = TextFilters.Join,

        ["int"] = NumberFilters.Int,
        ["float"] = NumberFilters.Float,
        ["abs"] = NumberFilters.Abs,
        ["round"] = NumberFilters.Round,
        ["sum"] = NumberFilters.Sum,

        ["length"] = (_, value, _) => PyTypes.Length(value),
        ["count"] = (_, value, _) => PyTypes.Length(value),
        ["list"] = (context, value, _) => new PySequence(PyTypes.Iterate(context, value)),
        ["first"] = (context, value, _) => SequenceFilters.End(context, value, first: true),
        ["last"] = (context, value, _) => SequenceFilters.End(context, value, first: false),
        ["reverse"] = SequenceFilters.Reverse,
        ["sort"] = SequenceFilters.Sort,
        ["unique"] = SequenceFilters.Unique,
        ["min"] = (context, value, arguments) => SequenceFilters.Extreme(context, value, arguments, sign: -1),
        ["max"] = (context, value, arguments) => SequenceFilters.Extreme(context, value, arguments, sign: 1),
        ["dictsort"] = SequenceFilters.DictSort,
        ["groupby"] = SequenceFilters.GroupBy,
        ["batch"] = SequenceFilters.Batch,
        ["slice"] = SequenceFilters.Slice,
        ["map"] = SelectionFilters.Map,
        ["select"] = (context, value, arguments) => SelectionFilters.Select(context, value, arguments, keep: true),
        ["reject"] = (context, value, arguments) => SelectionFilters.Select(context, value, arguments, keep: false),
        ["selectattr"] = (context, value, arguments) => SelectionFilters.SelectByAttribute(context, value, arguments, keep: true),
        ["rejectattr"] = (context, value, arguments) => SelectionFilters.SelectByAttribute(context, value, arguments, keep: false),
    }.ToFrozenDictionary();

    public static object? Apply(RenderContext context, string name, object? value, Arguments arguments)
    {
        if (!All.TryGetValue(name, out var filter)) throw new TemplateError($"no filter named '{name}'");
        context.Spend();
        var result = filter(context, value, arguments);
        arguments.End();
        return result is string text ? context.Made(text) : result;
    }

    public static string Text(object? value) => PyTypes.Defined(value) as string ?? throw new TemplateError($"expected a str, not {PyTypes.Name(value)}");

    private static object? Default(RenderContext context, object? value, Arguments arguments)
    {
        var replacement = arguments.Take("default_value", "");
        var alsoFalse = arguments.TakeBool("boolean", absent: false);
        return value is Undefined || (alsoFalse && !PyTypes.IsTrue(value)) ? replacement : value;
    }

    private static PySequence Items(object? value) => value switch
    {
        Undefined => new PySequence([]),
        PyDict dict => DictMethods.Items(dict),
        _ => throw new TemplateError("can only get item pairs from a mapping"),
    };

    private static string ToJson(RenderContext context, object? value, Arguments arguments)
    {
        var ensureAscii = arguments.TakeBool("ensure_ascii", absent: false);
        var indent = arguments.Take("indent", absent: null) switch
        {
            null => null,
            string text => text,
            var spaces => new string(' ', (int)Math.Clamp(PyTypes.ToIndex(spaces, "tojson: indent"), 0, 1000)),
        };
        var separators = arguments.Take("separators", absent: null) switch
        {
            null => indent is null ? (", ", ": ") : (",", ": "),
            PySequence { Items: [string item, string key] } => (item, key),
            _ => throw new TemplateError("tojson: separators must be a pair of str"),
        };
        var sortKeys = arguments.TakeBool("sort_keys", absent: false);
        return PyJson.Dump(context, value, new JsonStyle(indent, separators.Item1, separators.Item2, ensureAscii, sortKeys));
    }
}
