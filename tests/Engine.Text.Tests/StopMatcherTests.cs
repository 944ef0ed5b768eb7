using System.Text;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

public sealed class StopMatcherTests
{
    [Theory]
    [InlineData("STOP", "one STOP two", "one ", "STOP")]
    [InlineData("STOP", "one STO two", "one STO two", null)]
    [InlineData("STOP", "one STO", "one STO", null)]
    [InlineData("abab", "aababab", "a", "abab")]
    [InlineData("aab", "aaaab", "aa", "aab")]
    [InlineData("abc|b", "xabc", "xa", "b")]
    [InlineData("bc|abc", "xabc", "x", "abc")]
    [InlineData("\n\n|User:", "hi\nUser: x", "hi\n", "User:")]
    [InlineData("🙂", "a😀b🙂c", "a😀b", "🙂")]
    [InlineData("", "anything", "anything", null)]
    public void Ends_the_text_at_the_first_stop_however_it_is_cut(string stops, string text, string expected, string? stop)
    {
        for (var size = 1; size <= text.Length; size++)
        {
            var matcher = new StopMatcher(stops.Length == 0 ? [] : stops.Split('|'));
            var output = "";
            StopMatch last = default;
            foreach (var piece in text.Chunk(size))
            {
                last = matcher.Append(new string(piece));
                output += last.Text;
            }
            Assert.Equal(stop, last.Stop);
            Assert.Equal(stop is not null, last.Stopped);
            Assert.Equal(expected, output + matcher.Flush());
        }
    }

    [Fact]
    public void Holds_back_only_what_may_be_a_stop()
    {
        var matcher = new StopMatcher(["</answer>", "\n\n"]);
        Assert.Equal("x ", matcher.Append("x <").Text);
        Assert.Equal("", matcher.Append("/ans").Text);
        Assert.Equal("</ansx", matcher.Append("x").Text);
        Assert.Equal("", matcher.Append("\n").Text);
        Assert.Equal("\ny", matcher.Append("y").Text);
        Assert.Equal("", matcher.Append("\n").Text);
        Assert.Equal("\n", matcher.Flush());
    }

    [Fact]
    public void Drops_everything_after_a_stop()
    {
        var matcher = new StopMatcher(["."]);
        Assert.Equal(new StopMatch("a", "."), matcher.Append("a.b"));
        Assert.Equal(new StopMatch("", "."), matcher.Append("c"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void Agrees_with_a_search_of_the_whole_text_at_random_cuts()
    {
        var random = new Random(3);
        for (var round = 0; round < 3000; round++)
        {
            string Word(int max) => string.Concat(Enumerable.Range(0, random.Next(1, max)).Select(_ => "ab"[random.Next(2)]));
            var stops = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Word(6)).ToArray();
            var text = Word(30);

            var matcher = new StopMatcher(stops);
            var output = new StringBuilder();
            for (var at = 0; at < text.Length; )
            {
                var length = random.Next(1, text.Length - at + 1);
                output.Append(matcher.Append(text.Substring(at, length)).Text);
                at += length;
            }
            output.Append(matcher.Flush());
            Assert.Equal(Search(text, stops), output.ToString());
        }
    }

    [Fact]
    public void An_empty_stop_string_is_refused() => Assert.Throws<ArgumentException>(() => new StopMatcher(["a", ""]));

    /// <summary>The text before the stop that ends first, of those the longest.</summary>
    private static string Search(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var longest = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).Select(stop => stop.Length).DefaultIfEmpty().Max();
            if (longest > 0) return text[..(end - longest)];
        }
        return text;
    }
}
