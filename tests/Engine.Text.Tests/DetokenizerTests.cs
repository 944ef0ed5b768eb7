using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

/// <summary>Decoders other than ByteLevel, token by token.</summary>
public sealed class DetokenizerTests
{
    private const string SentencePiece = """
        {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},
         {"type":"Strip","content":" ","start":1,"stop":0}]}
        """;

    [Theory]
    [InlineData("▁Hello|,|▁world", "Hello|,| world|", "Hello, world")]
    [InlineData("▁|▁a", "| a|", " a")]
    [InlineData("a|<0xF0>|<0x9F>|<0x99>|<0x82>|b", "a|||||🙂b|", "a🙂b")]
    [InlineData("<0xF0>|<0x9F>|a", "||\uFFFD\uFFFDa|", "\uFFFD\uFFFDa")]
    [InlineData("a|<0xC3>|<0xA9>", "a|||é", "aé")]
    [InlineData("a|<0xC3>", "a||\uFFFD", "a\uFFFD")]
    public void Decodes_the_sentence_piece_way(string tokens, string steps, string whole) => Check(SentencePiece, tokens, steps, whole);

    [Theory]
    [InlineData("""{"type":"Strip","content":"_","start":1,"stop":1}""", "__a__|_b_", "_a_|b|", "_a_b")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":1,"stop":2}]}""", "_|_a_|_|b__|_", "|_a||__b|_|", "_a__b_")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"ab"},"content":"X"}]}""", "a|b|a|ac|aab", "|X||aac|aX|", "XaacaX")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"[0-9]+"},"content":"#"}""", "a1|23|b", "a#|#|b|", "a##b")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"ByteLevel"},{"type":"Strip","content":" ","start":1,"stop":0}]}""", "Ġa|Ã|©", "a||é|", "aé")]
    [InlineData("null", "a|b|c", "a| b| c|", "a b c")]
    public void Decodes_with_each_stage(string decoder, string tokens, string steps, string whole) => Check(decoder, tokens, steps, whole);

    [Theory]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteLevel"}]}""", "decoder.decoders[1].type 'ByteLevel' after a Fuse is not supported")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"Regex":"a"},"content":""}]}""", "decoder.decoders[1].pattern is a regular expression after a Fuse, which is not supported")]
    [InlineData("""{"type":"Strip","content":"ab","start":1,"stop":0}""", "decoder.content is not a single character")]
    public void Refuses_what_cannot_be_streamed(string decoder, string message) =>
        Assert.Equal("tokenizer.json: " + message, Assert.Throws<TokenizerException>(() => TokenizerFolder.Tokenizer(["a"], [], decoder: decoder)).Message);

    private static void Check(string decoder, string tokens, string steps, string whole)
    {
        var vocabulary = tokens.Split('|').Distinct().ToArray();
        var tokenizer = TokenizerFolder.Tokenizer(vocabulary, [], decoder: decoder);
        var ids = tokens.Split('|').Select(token => tokenizer.TokenId(token)!.Value).ToArray();
        var detokenizer = new Detokenizer(tokenizer, skipSpecialTokens: true);
        for (var round = 0; round < 2; round++)
        {
            var appended = Array.ConvertAll(ids, detokenizer.Append);
            Assert.Equal(steps.Split('|'), appended.Append(detokenizer.Flush()));
        }
        Assert.Equal(whole, tokenizer.Decode(ids, skipSpecialTokens: true));
    }
}
