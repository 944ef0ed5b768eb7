using System.Text;
using NanoAspire.Answers.Json;

namespace NanoAspire.Answers.Calls;

/// <summary>Calls whose arguments the model writes as a JSON object. Arguments are passed on while they are written.</summary>
internal abstract class JsonCallParser(AnswerWriter output, ToolSchemas schemas, bool parallel) : CallParser(output, schemas, parallel)
{
    private readonly StringBuilder _json = new();

    protected enum Outcome
    {
        /// <summary>Not what was expected; nothing was taken.</summary>
        Rejected,
        Complete,
        /// <summary>The text ended, or was no JSON from somewhere on, after the call had begun.</summary>
        Broken,
    }

    /// <summary>How the last part ended.</summary>
    protected Outcome Last { get; set; }

    /// <summary>The last value that was read whole.</summary>
    protected string Value { get; private set; } = "";

    /// <summary>
    /// Streams the object at <see cref="CallParser.Place"/> as the arguments of a call. The call begins with the first member's colon
    /// (or a complete object): by then it is JSON, not something that only began like it.
    /// </summary>
    protected IEnumerable<bool> Arguments(string name, string? id, IReadOnlyList<string> ends)
    {
        var scanner = new JsonScanner();
        var begun = false;
        _json.Clear();
        Last = Outcome.Rejected;
        while (true)
        {
            var step = JsonStep.More;
            while (step is JsonStep.More && Place < Input.Rest.Length)
            {
                var c = Input.Rest[Place];
                if (_json.Length == 0 && !begun && c != '{') yield break;
                var inString = scanner.InString;
                step = scanner.Next(c);
                if (step is JsonStep.Invalid) break;
                // Models write line ends into strings as they are; JSON wants them escaped.
                if (inString && c < ' ') JsonText.Escape([c], _json);
                else _json.Append(c);
                Place++;
                if (begun || !(scanner.AfterColon || step is JsonStep.Complete)) continue;
                begun = true;
                BeginCall(name, id);
            }
            if (begun)
            {
                Output.Arguments(_json.ToString());
                _json.Clear();
                Take();
            }
            if (step is JsonStep.Complete)
            {
                Last = Outcome.Complete;
                EndCall();
                yield break;
            }
            if (step is JsonStep.Invalid || Input.Final)
            {
                if (!begun) yield break;
                if (!Input.Final || step is JsonStep.Invalid) foreach (var wait in RawArguments(ends)) yield return wait;
                Last = Outcome.Broken;
                if (!Truncated || !Input.Final) Output.EndCall();
                yield break;
            }
            yield return true;
        }
    }

    /// <summary>A call that is known as a whole.</summary>
    protected void WholeCall(string name, string arguments, string? id = null)
    {
        BeginCall(name, id);
        Output.Arguments(arguments);
        EndCall();
    }

    /// <summary>Reads <c>{"name": …, "arguments": {…}}</c>; members may come in any order.</summary>
    protected IEnumerable<bool> CallObject(IReadOnlyList<string> ends)
    {
        string? name = null, held = null;
        var begun = false;
        Last = Outcome.Rejected;
        if (Place >= Input.Rest.Length || Input.Rest[Place] != '{') yield break;
        Place++;
        for (var first = true; ; first = false)
        {
            while (!SkipSpace()) yield return true;
            if (Place >= Input.Rest.Length) break;
            if (Input.Rest[Place] == '}')
            {
                Place++;
                if (!begun && name is not null) WholeCall(name, held ?? "{}");
                Last = begun || name is not null ? Outcome.Complete : Outcome.Rejected;
                yield break;
            }
            if (!first)
            {
                if (Input.Rest[Place] != ',') break;
                Place++;
                while (!SkipSpace()) yield return true;
            }
            foreach (var wait in Read()) yield return wait;
            if (Last is not Outcome.Complete || JsonText.Unquote(Value) is not { } key) break;
            while (!SkipSpace()) yield return true;
            if (Place >= Input.Rest.Length || Input.Rest[Place] != ':') break;
            Place++;
            while (!SkipSpace()) yield return true;
            var isArguments = key is "arguments" or "parameters";
            if (isArguments && name is not null && !begun)
            {
                foreach (var wait in Arguments(name, id: null, ends)) yield return wait;
                if (Last is Outcome.Broken) yield break;
                if (Last is Outcome.Rejected) break;
                begun = true;
                continue;
            }
            foreach (var wait in Read()) yield return wait;
            if (Last is not Outcome.Complete) break;
            if (key == "name" && (name = JsonText.Unquote(Value)) is null or "") break;
            if (isArguments && !Value.StartsWith('{')) break;
            if (isArguments) held = Value;
        }
        // With the arguments complete the call stands, whatever follows them.
        Last = begun ? Outcome.Complete : Outcome.Rejected;
    }

    /// <summary>Reads one JSON value whole.</summary>
    private IEnumerable<bool> Read()
    {
        var scanner = new JsonScanner();
        var value = new StringBuilder();
        while (true)
        {
            while (Place < Input.Rest.Length)
            {
                var c = Input.Rest[Place];
                var inString = scanner.InString;
                var step = scanner.Next(c);
                if (step is JsonStep.Invalid)
                {
                    Last = Outcome.Rejected;
                    yield break;
                }
                if (step is not JsonStep.CompleteBefore)
                {
                    if (inString && c < ' ') JsonText.Escape([c], value);
                    else value.Append(c);
                    Place++;
                }
                if (step is JsonStep.More) continue;
                (Last, Value) = (Outcome.Complete, value.ToString());
                yield break;
            }
            if (Input.Final)
            {
                Last = Outcome.Rejected;
                yield break;
            }
            yield return true;
        }
    }

    /// <summary>Arguments that are no JSON stay with their call as they are written, up to where the call ends.</summary>
    private IEnumerable<bool> RawArguments(IReadOnlyList<string> ends)
    {
        while (true)
        {
            var (at, _) = Markers.Find(Input.Rest, ends);
            Place = at >= 0 ? at : Input.Rest.Length - (Input.Final ? 0 : Markers.Held(Input.Rest, ends));
            Output.Arguments(Input.Rest[..Place]);
            Take();
            if (at >= 0 || Input.Final) yield break;
            yield return true;
        }
    }
}
