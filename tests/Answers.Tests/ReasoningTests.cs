namespace NanoAspire.Answers.Tests;

public sealed class ReasoningTests
{
    [Theory]
    [InlineData("qwen3", false, "<think>\nhm\n</think>\n\n  Yes.", "hm", "  Yes.")]
    [InlineData("qwen3_thinking", true, "hm\n</think>\n\nYes.\n", "hm", "Yes.\n")]
    [InlineData("deepseek_r1", true, "<think>\nhm</think>Yes.", "hm", "Yes.")]
    [InlineData("qwen3", false, "No <think> here </think>.", "", "No <think> here </think>.")]
    [InlineData("qwen3", true, "cut off while thin", "cut off while thin", "")]
    [InlineData("glm45", false, "\n<think></think>\nYes.", "", "Yes.")]
    [InlineData("kimi_k2", false, "Yes.", "", "Yes.")]
    public void Thoughts_are_told_from_the_answer(string format, bool open, string text, string reasoning, string content)
    {
        foreach (var pieces in (IEnumerable<string>[])[[text], text.Select(c => c.ToString())])
        {
            var answer = ParsedAnswer.Of(pieces, null, format, open);
            Assert.Equal((reasoning, content), (answer.Reasoning, answer.Content));
        }
    }

    [Theory]
    [InlineData("qwen3_thinking", "qwen3_xml", "so <tool_call> it is\n<tool_call>\n<function=now>\n</function>\n</tool_call>", "so <tool_call> it is")]
    [InlineData("kimi_k2", "kimi_k2", "I ask.<|tool_calls_section_begin|><|tool_call_begin|>functions.now:3<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", "I ask.")]
    public void A_call_ends_a_thought_that_was_not_closed(string format, string calls, string text, string reasoning)
    {
        var answer = ParsedAnswer.Of(text.Select(c => c.ToString()), calls, format, thinking: true);
        Assert.Equal((reasoning, ""), (answer.Reasoning, answer.Content));
        Assert.Equal("now", Assert.Single(answer.Calls).Name);
    }

    [Fact]
    public void The_parser_says_whether_the_model_is_thinking()
    {
        var parser = new AnswerParser(ReasoningFormat.Find("qwen3"), reasoningOpen: true, null, ToolSchemas.None);
        parser.Append("a");
        Assert.True(parser.Thinking);
        parser.Append("</think>");
        Assert.False(parser.Thinking);
    }

    [Theory]
    [InlineData("qwen3", "{{ '<think>\n\n</think>' }} <tool_call>{\"name\": ", "qwen3", "hermes")]
    [InlineData("qwen3_5", "</think> <tool_call>\n<function=", "qwen3_thinking", "qwen3_xml")]
    [InlineData("deepseek_v3", "</think> <｜tool▁calls▁begin｜><｜tool▁sep｜>", "deepseek_v3", "deepseek_v31")]
    [InlineData("deepseek_v3", "<｜tool▁sep｜> ```json", null, "deepseek_v3")]
    [InlineData("glm4_moe", "</think><tool_call><arg_key>", "glm45", "glm45")]
    [InlineData("kimi_k2", "<|tool_call_argument_begin|>", null, "kimi_k2")]
    [InlineData("llama", "{{ messages }}", null, null)]
    public void Formats_are_found_by_model_type_and_template(string type, string template, string? reasoning, string? calls)
    {
        Assert.Equal(reasoning, ReasoningFormat.Detect(type, template)?.Name);
        Assert.Equal(calls, ToolCallFormat.Detect(template)?.Name);
    }
}
