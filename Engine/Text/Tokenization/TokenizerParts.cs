namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>A tokenizer.json and its tokenizer_config.json, read and checked.</summary>
internal sealed class TokenizerParts
{
    public const string FileName = "tokenizer.json";

    private TokenizerParts(JsonField root, TokenizerConfig config)
    {
        Config = config;
        Model = BpeModelReader.Read(root["model"]);
        Normalizer = Normalizer.Read(root["normalizer"]);
        PreTokenizers = PreTokenizer.Read(root["pre_tokenizer"]);
        Decoder = TokenDecoder.Read(root["decoder"]);
        AddedTokens = ReadAddedTokens(root["added_tokens"]);
        PostProcessor = WithBosAndEos(PostProcessor.Read(root["post_processor"]));
    }

    public TokenizerConfig Config { get; }
    public BpeModel Model { get; }
    public Normalizer Normalizer { get; }
    public IReadOnlyList<PreTokenizer> PreTokenizers { get; }
    public TokenDecoder Decoder { get; }
    public IReadOnlyList<AddedToken> AddedTokens { get; }
    public PostProcessor PostProcessor { get; }

    public static TokenizerParts Load(string modelFolder)
    {
        var root = JsonField.Read(Path.Combine(modelFolder, FileName), out var document);
        using (document) return new TokenizerParts(root, TokenizerConfig.Load(modelFolder));
    }

    private List<AddedToken> ReadAddedTokens(JsonField field)
    {
        var tokens = new Dictionary<string, AddedToken>();
        if (!field.IsNull)
        {
            foreach (var item in field.Items())
            {
                var id = item["id"].Int();
                if (id is < 0 or >= BpeModelReader.MaxTokenId) throw item["id"].Error($"{id} is out of range");
                Check(item, AddedToken.Read(item, id));
            }
        }
        // tokenizer_config.json may add tokens, and its named special tokens are special wherever they come from.
        foreach (var token in Config.AddedTokens) tokens.TryAdd(token.Content, token);
        foreach (var text in Config.SpecialTokens.Values)
        {
            if (Model.Vocabulary.TryGetValue(text, out var id)) tokens.TryAdd(text, new() { Id = id, Content = text, Special = true });
        }
        return [.. tokens.Values];

        void Check(JsonField item, AddedToken token)
        {
            if (Model.Vocabulary.TryGetValue(token.Content, out var known) && known != token.Id)
            {
                throw item["id"].Error($"is {token.Id}, but model.vocab gives '{token.Content}' the id {known}");
            }
            tokens[token.Content] = token;
        }
    }

    private PostProcessor WithBosAndEos(PostProcessor post)
    {
        var before = Config.AddBos switch { true => [Special("bos_token")], false => [], null => post.Before };
        var after = Config.AddEos switch { true => [Special("eos_token")], false => [], null => post.After };
        return new(before, after);
    }

    private int Special(string name)
    {
        if (!Config.SpecialTokens.TryGetValue(name, out var text)) throw new TokenizerException($"tokenizer_config.json: add_{name} is true, but {name} is missing");
        return AddedTokens.FirstOrDefault(token => token.Content == text)?.Id
            ?? throw new TokenizerException($"tokenizer_config.json: {name} '{text}' is not a token");
    }
}
