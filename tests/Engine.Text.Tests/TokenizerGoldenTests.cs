using System.Text.Json;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

/// <summary>Ids, tokens and decodings of the reference tokenizer library, for both spellings of merges and both kinds of split.</summary>
public sealed class TokenizerGoldenTests
{
    public static TheoryData<string> Folders => [.. Directory.GetDirectories(Path.Combine(RepositoryPaths.Goldens, "tokenizer")).Select(folder => Path.GetFileName(folder)!).Order()];

    [Theory, MemberData(nameof(Folders))]
    public void Encodes_every_text_as_the_reference_does(string folder)
    {
        var (tokenizer, golden) = Load(folder);
        var cases = golden.GetProperty("encode").EnumerateArray().ToArray();
        Assert.True(cases.Length >= 50);
        Assert.All(cases, item =>
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.Equal(Ids(item), ids);
            Assert.Equal(item.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()), ids.Select(tokenizer.TokenText));
        });
    }

    [Theory, MemberData(nameof(Folders))]
    public void Decodes_every_list_as_the_reference_does(string folder)
    {
        var (tokenizer, golden) = Load(folder);
        var cases = golden.GetProperty("encode").EnumerateArray().Concat(golden.GetProperty("decode_only").EnumerateArray()).ToArray();
        Assert.True(cases.Length >= 120);
        Assert.All(cases, item =>
        {
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(Ids(item), skipSpecialTokens: false));
            Assert.Equal(item.GetProperty("decoded_skip_special").GetString(), tokenizer.Decode(Ids(item), skipSpecialTokens: true));
        });
    }

    [Theory, MemberData(nameof(Folders))]
    public void Detokenizes_every_list_one_token_at_a_time(string folder)
    {
        var (tokenizer, golden) = Load(folder);
        var cases = golden.GetProperty("encode").EnumerateArray().Concat(golden.GetProperty("decode_only").EnumerateArray());
        Assert.All(cases, item =>
        {
            var detokenizer = new Detokenizer(tokenizer, skipSpecialTokens: true);
            var text = string.Concat(Ids(item).Select(detokenizer.Append)) + detokenizer.Flush();
            Assert.Equal(item.GetProperty("decoded_skip_special").GetString(), text);
        });
    }

    [Fact]
    public void Adds_the_bos_token_that_the_configuration_asks_for()
    {
        var (tokenizer, _) = Load("deepseek-v3-style");
        var bos = tokenizer.TokenId(tokenizer.SpecialTokens["bos_token"]);
        Assert.Equal([bos!.Value, .. tokenizer.Encode("Hello", addSpecialTokens: false)], tokenizer.Encode("Hello"));
    }

    [Fact]
    public void Adds_nothing_where_nothing_is_asked_for()
    {
        var (tokenizer, _) = Load("qwen2-style");
        Assert.Equal(tokenizer.Encode("Hello", addSpecialTokens: false), tokenizer.Encode("Hello"));
        Assert.Equal(["eos_token", "pad_token"], tokenizer.SpecialTokens.Keys.Order());
    }

    private static (Tokenizer Tokenizer, JsonElement Golden) Load(string folder)
    {
        var path = Path.Combine(RepositoryPaths.Goldens, "tokenizer", folder);
        return (Tokenizer.Load(path), JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path, "golden.json"))).RootElement);
    }

    private static int[] Ids(JsonElement item) => [.. item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
}
