using System.Text;
using NanoAspire.Engine.Text.Grammar;
using NanoAspire.Engine.Text.Grammar.Automata;

namespace NanoAspire.Tests.Text.Grammar;

/// <summary>A mask is exactly the set of tokens that the automaton can walk through byte by byte.</summary>
public sealed class TokenMaskTests
{
    [Theory]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"type":"array","items":{"type":"string","minLength":1,"maxLength":4},"minItems":1,"maxItems":3}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","pattern":"^(é|中)+x?$"},"b":{"enum":["left","light",12]},"c":{"type":"number","minimum":-1,"maximum":2}},"required":["a","c"],"additionalProperties":{"type":"boolean"}}""")]
    [InlineData("""{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}},"n":{"type":"integer"}},"required":["kids"]}""")]
    public void It_is_what_a_walk_without_any_cache_finds(string schema)
    {
        foreach (var name in (string[])["nano-demo", "deepseek-v3-style"])
        {
            var (tokenizer, vocabulary) = Vocabularies.Get(name);
            var grammar = GrammarWriter.Schema(schema, vocabulary);
            var automaton = grammar.Automaton;
            var random = new Random(3);
            for (var run = 0; run < 3; run++)
            {
                var config = automaton.Start();
                for (var step = 0; step < 40; step++)
                {
                    var mask = grammar.MaskOf(config).Value;
                    var walked = Enumerable.Range(0, vocabulary.Size).Where(id => Walk(automaton, config, vocabulary.Text(id)) != Config.Dead).ToArray();
                    Assert.Equal(walked, mask.Tokens());
                    Assert.DoesNotContain(walked, id => tokenizer.IsSpecial(id));
                    if (walked.Length == 0) break;
                    config = Walk(automaton, config, vocabulary.Text(walked[random.Next(walked.Length)]));
                }
            }
        }
    }

    [Theory]
    [InlineData("""{"type":"string","minLength":1,"maxLength":60}""")]
    [InlineData("""{"type":"string","minLength":50}""")]
    [InlineData("""{"type":"array","items":{"enum":[1,2]},"maxItems":45}""")]
    public void Counters_are_seen_by_long_tokens_and_by_short_ones(string schema)
    {
        string[] texts = [.. new[] { 2, 5, 23, 24, 25, 26, 40, 49, 50, 59, 60, 61, 90 }.SelectMany(length => new[] { new string('a', length), new string('a', length) + "\"", string.Concat(Enumerable.Repeat("1,", length)) })];
        var vocabulary = Vocabularies.Of(texts);
        var grammar = GrammarWriter.Schema(schema, vocabulary);
        var automaton = grammar.Automaton;
        var config = automaton.Next(automaton.Start(), (byte)(schema.Contains("array") ? '[' : '"'));
        for (var step = 0; step < 58 && config != Config.Dead; step++)
        {
            Assert.Equal(Enumerable.Range(0, vocabulary.Size).Where(id => Walk(automaton, config, vocabulary.Text(id)) != Config.Dead), grammar.MaskOf(config).Value.Tokens());
            config = automaton.Next(config, (byte)(schema.Contains("array") ? step % 2 == 0 ? '1' : ',' : 'a'));
        }
    }

    [Fact]
    public void Near_the_deepest_nesting_tokens_that_open_too_many_are_left_out()
    {
        var vocabulary = Vocabularies.Of("[[", "[[[[", "]]");
        var grammar = GrammarWriter.Schema("""{"type":"array"}""", vocabulary);
        var matcher = new GrammarMatcher(grammar);
        for (var depth = 0; depth < GrammarBuilder.MaxNesting - 2; depth++) Assert.True(matcher.TryAccept('['));
        Assert.True(matcher.Mask.Allows(256));
        Assert.False(matcher.Mask.Allows(257));
        Assert.True(matcher.TryAccept(256));
        Assert.False(matcher.Mask.Allows('['));
        Assert.False(matcher.Mask.Allows('{'));
        Assert.True(matcher.Mask.Allows(']'));
        for (var depth = 0; depth < GrammarBuilder.MaxNesting / 2; depth++) Assert.True(matcher.TryAccept(258));
        Assert.True(matcher.IsComplete);
        Assert.True(matcher.Mask.IsEmpty);
    }

    [Fact]
    public void A_schema_that_must_nest_stops_in_time()
    {
        // Each level needs two more to end; only byte tokens, so that the path is forced.
        var grammar = GrammarWriter.Schema("""{"type":"object","properties":{"k":{"type":"array","items":{"type":"array","items":{"$ref":"#"},"minItems":1},"minItems":0}},"required":["k"],"additionalProperties":false}""", Vocabularies.Of());
        var matcher = new GrammarMatcher(grammar);
        var text = new StringBuilder();
        while (!matcher.IsComplete)
        {
            var allowed = matcher.Mask.Tokens().ToArray();
            Assert.NotEmpty(allowed);
            var next = "[{]}".FirstOrDefault(c => allowed.Contains(c), (char)allowed.First(id => id is not (' ' or '\n' or '\t')));
            Assert.True(matcher.TryAccept(next));
            text.Append(next);
            Assert.True(text.Length < 2000, "it goes on and on");
        }
        Assert.NotNull(System.Text.Json.Nodes.JsonNode.Parse(text.ToString()));
        Assert.InRange(text.ToString().Count(c => c is '[' or '{'), GrammarBuilder.MaxNesting - 3, GrammarBuilder.MaxNesting);
    }

    [Fact]
    public void Sequences_under_one_grammar_go_on_when_its_tables_start_over()
    {
        var grammar = GrammarWriter.Schema("""{"type":"object","additionalProperties":{"type":"string","maxLength":2000}}""", Vocabularies.Of("ab", "\":\""));
        var (first, second) = (new GrammarMatcher(grammar), new GrammarMatcher(grammar));
        foreach (var c in "{\"k\": \"") Assert.True(first.TryAccept(c) && second.TryAccept(c));
        var before = grammar.Automaton.Tables;
        before.Charge(Automaton.MaxTableBytes);
        foreach (var c in "x\"}") Assert.True(first.TryAccept(c));
        Assert.NotSame(before, grammar.Automaton.Tables);
        foreach (var c in "yy\",\n \"") Assert.True(second.TryAccept(c), $"'{c}'");
        foreach (var c in "k2\":\"\"}") Assert.True(second.Mask.Allows(c) && second.TryAccept(c), $"'{c}'");
        Assert.True(first.IsComplete && second.IsComplete);
    }

    [Fact]
    public void Logits_of_other_tokens_become_minus_infinity_whatever_the_widths()
    {
        foreach (var width in (int[])[1, 63, 64, 65, 200, 300])
        {
            var random = new Random(width);
            var bits = new ulong[4];
            for (var i = 0; i < 3; i++) bits[i] = i == 1 ? ulong.MaxValue : (ulong)random.NextInt64() | (i == 2 ? ulong.MaxValue >> 8 : 0);
            var mask = new TokenMask(bits, [250, 299]);
            var logits = Enumerable.Range(0, width).Select(i => (float)i).ToArray();
            var scores = new float[width];
            mask.Apply(logits, scores);
            for (var id = 0; id < width; id++) Assert.Equal(mask.Allows(id) ? id : float.NegativeInfinity, scores[id]);
        }
    }

    private static Config Walk(Automaton automaton, Config config, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return Config.Dead;
        foreach (var value in text) config = automaton.Next(config, value);
        return config;
    }
}
