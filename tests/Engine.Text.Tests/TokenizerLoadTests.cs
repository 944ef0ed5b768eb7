using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

public sealed class TokenizerLoadTests
{
    private static readonly string Good = TokenizerFolder.Json(["a", "b", "ab"], ["a b"]);

    [Fact]
    public void A_folder_without_a_tokenizer_has_none()
    {
        using var folder = TokenizerFolder.Write(json: null);
        Assert.False(Tokenizer.Exists(folder.FolderPath));
        Assert.StartsWith("tokenizer.json: cannot be read", Failure(folder));
    }

    [Fact]
    public void A_good_one_loads()
    {
        using var folder = TokenizerFolder.Write(Good);
        Assert.True(Tokenizer.Exists(folder.FolderPath));
        Assert.Equal([2, 0], Tokenizer.Load(folder.FolderPath).Encode("aba"));
    }

    [Fact]
    public void Truncated_json_is_refused_wherever_it_ends()
    {
        for (var length = 0; length < Good.Length; length++)
        {
            using var folder = TokenizerFolder.Write(Good[..length]);
            Assert.StartsWith("tokenizer.json: not valid JSON at line 1", Failure(folder));
        }
    }

    [Theory]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "tokenizer.json: model.type 'Unigram' is not supported (only BPE is)")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"WordPiece\"", "tokenizer.json: model.type 'WordPiece' is not supported (only BPE is)")]
    [InlineData("\"type\":\"BPE\"", "\"type\":7", "tokenizer.json: model.type is not a string")]
    [InlineData("\"merges\"", "\"merge\"", "tokenizer.json: model.merges is missing")]
    [InlineData("\"a b\"", "\"a c\"", "tokenizer.json: model.merges[0] names the token 'c', which is not in model.vocab")]
    [InlineData("\"a b\"", "\"b a\"", "tokenizer.json: model.merges[0] names the token 'ba', which is not in model.vocab")]
    [InlineData("\"a b\"", "\"ab\"", "tokenizer.json: model.merges[0] is not two tokens separated by a space")]
    [InlineData("\"a b\"", "[\"a\"]", "tokenizer.json: model.merges[0] is not a pair of tokens")]
    [InlineData("\"a b\"", "3", "tokenizer.json: model.merges[0] is not a pair of tokens")]
    [InlineData("\"ab\":2", "\"ab\":-2", "tokenizer.json: model.vocab has no valid id for the token 'ab'")]
    [InlineData("\"ab\":2", "\"ab\":2000000000", "tokenizer.json: model.vocab has no valid id for the token 'ab'")]
    [InlineData("\"ab\":2", "\"ab\":\"2\"", "tokenizer.json: model.vocab has no valid id for the token 'ab'")]
    [InlineData("\"vocab\"", "\"vocabulary\"", "tokenizer.json: model.vocab is missing")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"BPE\",\"dropout\":0.1", "tokenizer.json: model.dropout 0.1 is not supported")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"BPE\",\"unk_token\":\"<unk>\"", "tokenizer.json: model.unk_token '<unk>' is not in model.vocab")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"BertNormalizer\"}", "tokenizer.json: normalizer.type 'BertNormalizer' is not supported")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{}]}", "tokenizer.json: normalizer.normalizers[1].type is missing")]
    [InlineData("\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"Whitespace\"}", "tokenizer.json: pre_tokenizer.type 'Whitespace' is not supported")]
    [InlineData("\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a(\"},\"behavior\":\"Isolated\"}", "tokenizer.json: pre_tokenizer.pattern.Regex is not supported: a missing ')' (character 2 of the pattern)")]
    [InlineData("\"pre_tokenizer\":null", "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Shuffled\"}", "tokenizer.json: pre_tokenizer.behavior 'Shuffled' is not supported")]
    [InlineData("\"decoder\":null", "\"decoder\":{\"type\":\"WordPiece\"}", "tokenizer.json: decoder.type 'WordPiece' is not supported")]
    [InlineData("\"post_processor\":null", "\"post_processor\":{\"type\":\"BertProcessing\"}", "tokenizer.json: post_processor.type 'BertProcessing' is not supported")]
    [InlineData("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":9,\"content\":\"a\"}]", "tokenizer.json: added_tokens[0].id is 9, but model.vocab gives 'a' the id 0")]
    [InlineData("\"added_tokens\":[]", "\"added_tokens\":[{\"content\":\"a\"}]", "tokenizer.json: added_tokens[0].id is missing")]
    [InlineData("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":3,\"content\":\"c\",\"special\":\"yes\"}]", "tokenizer.json: added_tokens[0].special is not a boolean")]
    [InlineData("\"added_tokens\":[]", "\"added_tokens\":{}", "tokenizer.json: added_tokens is not an array")]
    public void Anything_malformed_or_unsupported_is_refused_by_name(string good, string bad, string message)
    {
        Assert.Contains(good, Good);
        using var folder = TokenizerFolder.Write(Good.Replace(good, bad, StringComparison.Ordinal));
        Assert.Equal(message, Failure(folder));
    }

    [Theory]
    [InlineData("""{"model":{"vocab":{"\ud800":0},"merges":[]}}""", "tokenizer.json: model.vocab has a name with half a surrogate pair")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["\udc00 a"]}}""", "tokenizer.json: model.merges[0] has half a surrogate pair")]
    [InlineData("[]", "tokenizer.json: the root is not an object")]
    [InlineData("{}", "tokenizer.json: model is missing")]
    public void A_file_of_the_wrong_shape_is_refused(string json, string message)
    {
        using var folder = TokenizerFolder.Write(json);
        Assert.Equal(message, Failure(folder));
    }

    [Theory]
    [InlineData("{\"eos_token\":7}", "tokenizer_config.json: eos_token is not a string")]
    [InlineData("{\"eos_token\":{\"text\":\"</s>\"}}", "tokenizer_config.json: eos_token.content is missing")]
    [InlineData("{", "tokenizer_config.json: not valid JSON at line 1, byte 2")]
    [InlineData("{\"tokenizer_class\":\"LlamaTokenizerFast\",\"add_bos_token\":true}", "tokenizer_config.json: add_bos_token is true, but bos_token is missing")]
    [InlineData("{\"tokenizer_class\":\"LlamaTokenizerFast\",\"add_bos_token\":true,\"bos_token\":\"<s>\"}", "tokenizer_config.json: bos_token '<s>' is not a token")]
    public void A_malformed_configuration_is_refused_by_name(string config, string message)
    {
        using var folder = TokenizerFolder.Write(Good, config);
        Assert.Equal(message, Failure(folder));
    }

    private static string Failure(TokenizerFolder folder)
    {
        var message = Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder.FolderPath)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
