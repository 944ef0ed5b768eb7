using System.Text.Json.Nodes;

namespace NanoAspire.Answers.Tests;

/// <summary>Where the text is cut makes no difference, whatever the text.</summary>
public sealed class SplittingTests
{
    public static TheoryData<string> AllFamilies => [.. Samples.Families];

    [Theory, MemberData(nameof(AllFamilies))]
    public void Any_cut_of_calls_gives_the_same_answer(string family)
    {
        var calls = Samples.Write(family,
            ("get_weather", new JsonObject { ["city"] = "Paris", ["days"] = 3, ["metric"] = true }),
            ("write_file", new JsonObject { ["text"] = Samples.Awkward, ["meta"] = new JsonObject { ["a"] = new JsonArray(1, "}") } }),
            ("now", []));
        CheckAll(family, family is "json" ? calls : $"<think>\nLet me see…\n</think>\n\nOne moment.\n{calls}\n", "qwen3");
    }

    [Theory, MemberData(nameof(AllFamilies))]
    public void Any_cut_of_a_broken_answer_gives_the_same(string family)
    {
        var random = new Random(20);
        var whole = Samples.Write(family,
            ("get_weather", new JsonObject { ["city"] = "Oslo", ["days"] = 1 }), ("write_file", new JsonObject { ["text"] = "a\nb", ["tags"] = new JsonArray(1, 2) }));
        for (var i = 0; i < 120; i++)
        {
            var text = Damage(whole, random);
            var expected = ParsedAnswer.Of([text], family, truncated: i % 2 == 0).ToString();
            Assert.Equal(expected, ParsedAnswer.Of(text.Select(c => c.ToString()), family, truncated: i % 2 == 0).ToString());
            for (var n = 0; n < 3; n++) Assert.Equal(expected, ParsedAnswer.Of(Cut(text, random), family, truncated: i % 2 == 0).ToString());
        }
    }

    [Theory, MemberData(nameof(AllFamilies))]
    public void Markers_in_any_order_never_throw_and_cut_alike(string family)
    {
        var random = new Random(7);
        string[] parts =
        [
            .. ToolCallFormat.Find(family)!.Markers, "<think>", "</think>", "\n", " ", "{", "}", "\"name\": \"f\"", ", ", "\"arguments\": ", "{\"a\": 1}", "text", "x=", "\">", "[", "]", "```json\n", "```", "\"",
        ];
        for (var i = 0; i < 400; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => parts[random.Next(parts.Length)]));
            var expected = ParsedAnswer.Of([text], family, "kimi_k2", truncated: i % 2 == 0).ToString();
            Assert.Equal(expected, ParsedAnswer.Of(text.Select(c => c.ToString()), family, "kimi_k2", truncated: i % 2 == 0).ToString());
            Assert.Equal(expected, ParsedAnswer.Of(Cut(text, random), family, "kimi_k2", truncated: i % 2 == 0).ToString());
        }
    }

    private static void CheckAll(string family, string text, string? reasoning)
    {
        var expected = ParsedAnswer.Of([text], family, reasoning).ToString();
        Assert.Contains("get_weather", expected);
        for (var at = 1; at < text.Length; at++)
            Assert.Equal(expected, ParsedAnswer.Of([text[..at], text[at..]], family, reasoning).ToString());
        for (var size = 1; size <= 9; size++)
            Assert.Equal(expected, ParsedAnswer.Of(text.Chunk(size).Select(chunk => new string(chunk)), family, reasoning).ToString());
        // Cut off anywhere, it still reads the same however it came.
        for (var end = 0; end < text.Length; end += 3)
        {
            foreach (var truncated in (bool[])[false, true])
                Assert.Equal(
                    ParsedAnswer.Of([text[..end]], family, reasoning, truncated: truncated).ToString(),
                    ParsedAnswer.Of(text[..end].Select(c => c.ToString()), family, reasoning, truncated: truncated).ToString());
        }
    }

    private static string Damage(string text, Random random)
    {
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(text.Length);
            var length = random.Next(0, Math.Min(12, text.Length - at));
            text = text.Remove(at, length);
            if (random.Next(2) == 0) text = text.Insert(at, new[] { "{", "}", "\"", "<", "\n", "</parameter>", "x" }[random.Next(7)]);
            if (text.Length == 0) return "x";
        }
        return text;
    }

    private static IEnumerable<string> Cut(string text, Random random)
    {
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(random.Next(1, 8), text.Length - at);
            yield return text.Substring(at, length);
            at += length;
        }
    }
}
