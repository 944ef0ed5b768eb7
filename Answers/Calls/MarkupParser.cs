using System.Text;
using NanoAspire.Answers.Json;

namespace NanoAspire.Answers.Calls;

/// <summary>
/// Calls whose arguments stand between tags as bare text: Qwen3-Coder, GLM, DeepSeek V3.2. They become JSON by the tool's schema;
/// strings are passed on while they are written, other values when they are complete.
/// </summary>
internal sealed class MarkupParser(MarkupFormat format, AnswerWriter output, ToolSchemas schemas, bool parallel) : CallParser(output, schemas, parallel)
{
    private const int MostName = 512;
    private readonly MarkupValue _value = new(format);
    private readonly string[] _structure = [.. format.AfterValue];
    private readonly StringBuilder _whole = new();
    private string _function = "";
    private int _count;
    private bool _unwrapped;
    private string? _header;

    protected override IReadOnlyList<string> Openers { get; } = [format.Open];

    protected override IEnumerable<bool> Block()
    {
        while (Accept(format.Open) is null) yield return true;
        for (var opener = format.Open; ; opener = format.CallOpen)
        {
            while (!SkipSpace()) yield return true;
            foreach (var wait in Header()) yield return wait;
            if (_header is not { } name)
            {
                Reject(opener);
                yield break;
            }
            Take();
            (_function, _unwrapped) = (name, false);
            BeginCall(name);
            foreach (var wait in Parameters()) yield return wait;
            Boundary();
            if (Done || format.BlockClose is null) yield break;
            while (!SkipSpace()) yield return true;
            Take();
            bool? another;
            while ((another = Next(format.CallOpen)) is null) yield return true;
            if (another is not true) break;
        }
        while (Accept(format.BlockClose) is null) yield return true;
        Take();
    }

    /// <summary>Reads the name into <see cref="_header"/>, if what follows it shows that this is a call; null if not.</summary>
    private IEnumerable<bool> Header()
    {
        _header = null;
        bool? found;
        while ((found = Accept(format.CallOpen)) is null) yield return true;
        if (found is false) yield break;
        string? name;
        if (format.CallOpenEnd is { } end)
        {
            while ((name = Until(MostName, end)) is null && MayComeWithin(MostName)) yield return true;
            if (name is null) yield break;
            Place += end.Length;
        }
        else
        {
            while ((name = Until(MostName, "\n", "<")) is null && MayComeWithin(MostName)) yield return true;
            if (name is null) yield break;
        }
        name = name.Trim();
        if (!IsName(name)) yield break;
        while (!SkipSpace()) yield return true;
        foreach (var tag in _structure)
        {
            while ((found = Next(tag)) is null) yield return true;
            if (found is not true) continue;
            _header = name;
            yield break;
        }
    }

    /// <summary>The parameters of the call that has begun, up to the end of its closing tag.</summary>
    private IEnumerable<bool> Parameters()
    {
        _count = 0;
        while (true)
        {
            while (!SkipSpace()) yield return true;
            var tag = -1;
            for (var i = 0; i < _structure.Length && tag < 0; i++)
            {
                bool? next;
                while ((next = Next(_structure[i])) is null) yield return true;
                if (next is true) tag = i;
            }
            if (tag == 0)
            {
                foreach (var wait in Parameter()) yield return wait;
                continue;
            }
            if (tag < 0 && !Input.Final)
            {
                // Text between the tags belongs to nobody: it is content.
                var (at, _) = Markers.Find(Input.Rest, _structure);
                Content(at >= 0 ? at : Input.Rest.Length - Markers.Held(Input.Rest, _structure));
                if (at < 0) yield return true;
                continue;
            }
            if (tag < 0) Content(Input.Rest.Length);
            if (tag < 0 && Truncated) yield break;
            if (!_unwrapped) Output.Arguments(_count == 0 ? "{}" : "}");
            if (tag == 1) Place += format.CallClose.Length;
            Take();
            EndCall();
            yield break;
        }
    }

    private IEnumerable<bool> Parameter()
    {
        Place += format.ParameterOpen.Length;
        string? key;
        while ((key = Until(MostName, format.ParameterOpenEnd)) is null && MayComeWithin(MostName)) yield return true;
        if (key is null)
        {
            Content(Input.Final ? Input.Rest.Length : format.ParameterOpen.Length);
            yield break;
        }
        Place += format.ParameterOpenEnd.Length;
        var isString = key.Contains("string=\"true\"", StringComparison.Ordinal);
        key = format.StringFlag ? key.Split('"')[0] : key.Trim();
        if (format.ValueOpen is { } open)
        {
            while (!SkipSpace()) yield return true;
            while (Accept(open) is null) yield return true;
        }
        Take();

        var types = Schemas.Find(_function, key);
        var wrapper = format.StringFlag && _count == 0 && types is ValueTypes.Undeclared && key is "arguments" or "input";
        var lead = (_count++ == 0 ? "{" : ",") + JsonText.Quote(key) + ":";
        if (wrapper) foreach (var wait in Wrapper(lead, isString)) yield return wait;
        else if (format.StringFlag ? isString : types is ValueTypes.String || (types is ValueTypes.Undeclared && !format.Guess)) foreach (var wait in Text(lead)) yield return wait;
        else foreach (var wait in Typed(lead, format.StringFlag && types is ValueTypes.Undeclared ? ValueTypes.Any : types)) yield return wait;
    }

    private IEnumerable<bool> Text(string lead)
    {
        Output.Arguments(lead + "\"");
        foreach (var wait in Value(streamed: true)) yield return wait;
        if (!(Truncated && _value.Open)) Output.Arguments("\"");
    }

    private IEnumerable<bool> Typed(string lead, ValueTypes types)
    {
        Output.Arguments(lead);
        foreach (var wait in Value(streamed: false)) yield return wait;
        var text = _whole.ToString();
        Output.Arguments(Truncated && _value.Open ? text : ToolSchemas.Convert(types, text, format.Guess));
    }

    /// <summary>Some models wrap all arguments into one parameter that the tool does not have.</summary>
    private IEnumerable<bool> Wrapper(string lead, bool isString)
    {
        foreach (var wait in Value(streamed: false)) yield return wait;
        var text = _whole.ToString();
        while (!SkipSpace()) yield return true;
        bool? last;
        while ((last = Next(format.CallClose)) is null) yield return true;
        _unwrapped = last is true && JsonText.Valid(text) is ['{', ..];
        if (_unwrapped) Output.Arguments(JsonText.Valid(text)!);
        else Output.Arguments(lead + ToolSchemas.Convert(isString ? ValueTypes.String : ValueTypes.Any, text, guess: true));
    }

    /// <summary>Reads a value and steps over its closing tag. It goes out as the inside of a JSON string, or into <see cref="_whole"/>.</summary>
    private IEnumerable<bool> Value(bool streamed)
    {
        _value.Begin();
        _whole.Clear();
        while (true)
        {
            var (length, end) = _value.Read(Input.Rest, Input.Final);
            var text = _value.Visible(Input.Rest[..length]);
            if (streamed) Output.Arguments(JsonText.Escape(text));
            else _whole.Append(text);
            Place = end ?? (Input.Final ? Input.Rest.Length : length);
            Take();
            if (end is not null || Input.Final) yield break;
            yield return true;
        }
    }
}
