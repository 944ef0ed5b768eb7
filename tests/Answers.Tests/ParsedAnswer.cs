using System.Text;
using System.Text.Json;

namespace NanoAspire.Answers.Tests;

/// <summary>An answer put together from its deltas, as a client would.</summary>
internal sealed record ParsedAnswer
{
    public static readonly ToolSchemas Schemas = ToolSchemas.Read(JsonDocument.Parse("""
        [
          {"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"metric":{"type":"boolean"}}}}},
          {"type":"function","function":{"name":"write_file","parameters":{"type":"object","properties":{"path":{"type":"string"},"text":{"type":"string"},"meta":{"type":"object"},"tags":{"type":"array"},"ratio":{"type":"number"},"note":{"type":["string","null"]}}}}},
          {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}
        ]
        """).RootElement);

    public string Content { get; private set; } = "";
    public string Reasoning { get; private set; } = "";
    public List<(string Id, string Name, string Arguments)> Calls { get; } = [];
    public bool Open { get; private set; }
    public bool Done { get; private set; }

    public static ParsedAnswer Of(
        IEnumerable<string> pieces, string? calls, string? reasoning = null, bool thinking = false, bool truncated = false, bool parallel = true)
    {
        var ids = 0;
        var parser = new AnswerParser(
            reasoning is null ? null : ReasoningFormat.Find(reasoning)!, thinking, calls is null ? null : ToolCallFormat.Find(calls)!, Schemas, parallel, () => $"id{ids++}");
        var answer = new ParsedAnswer();
        foreach (var piece in pieces) answer.Add(parser.Append(piece));
        answer.Add(parser.Finish(truncated));
        return answer with { Open = parser.CallOpen, Done = parser.Done };
    }

    /// <summary>One line that says everything.</summary>
    public override string ToString() =>
        new StringBuilder($"content={Content}|reasoning={Reasoning}|open={Open}").AppendJoin("", Calls.Select(call => $"|{call.Id} {call.Name}({call.Arguments})")).ToString();

    private void Add(IEnumerable<AnswerDelta> deltas)
    {
        foreach (var delta in deltas)
        {
            switch (delta.Kind)
            {
                case AnswerDeltaKind.Content:
                    Content += delta.Text;
                    break;
                case AnswerDeltaKind.Reasoning:
                    Reasoning += delta.Text;
                    break;
                case AnswerDeltaKind.Call:
                    Assert.Equal(Calls.Count, delta.CallIndex);
                    Calls.Add((delta.Id!, delta.Name!, ""));
                    break;
                default:
                    Assert.Equal(Calls.Count - 1, delta.CallIndex);
                    Calls[^1] = Calls[^1] with { Arguments = Calls[^1].Arguments + delta.Text };
                    break;
            }
        }
    }
}
