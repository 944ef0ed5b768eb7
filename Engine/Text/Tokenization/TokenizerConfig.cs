namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>What the engine needs of tokenizer_config.json; a folder without the file has the empty one.</summary>
internal sealed class TokenizerConfig
{
    private static readonly string[] SpecialNames = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>Classes that put bos and eos around a text as add_bos_token and add_eos_token say; the others leave it to the post_processor.</summary>
    private static readonly string[] BosClasses = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer", "TokenizersBackend"];

    private readonly Dictionary<string, string> _specialTokens = [];
    private readonly List<AddedToken> _addedTokens = [];

    /// <summary>bos_token, eos_token and so on, and the named ones of extra_special_tokens, with their text.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens => _specialTokens;

    /// <summary>added_tokens_decoder: usually a repetition of what tokenizer.json says.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _addedTokens;

    /// <summary>Null: the post_processor decides.</summary>
    public bool? AddBos { get; private set; }
    public bool? AddEos { get; private set; }

    /// <summary>Null when there is none.</summary>
    public string? ChatTemplate { get; private set; }

    /// <summary>Templates by name, from the list form of chat_template.</summary>
    public Dictionary<string, string> NamedChatTemplates { get; } = [];

    public static TokenizerConfig Load(string modelFolder)
    {
        var config = new TokenizerConfig();
        var file = Path.Combine(modelFolder, "tokenizer_config.json");
        if (!File.Exists(file)) return config;

        var root = JsonField.Read(file, out var document);
        using (document) config.Read(root);
        return config;
    }

    private void Read(JsonField root)
    {
        foreach (var name in SpecialNames)
        {
            if (Text(root[name]) is { } text) _specialTokens[name] = text;
        }
        if (root["extra_special_tokens"] is { IsObject: true } extra)
        {
            foreach (var (name, _) in extra.Members())
            {
                if (Text(extra[name]) is { } text) _specialTokens[name] = text;
            }
        }
        if (root["added_tokens_decoder"] is { IsNull: false } added)
        {
            foreach (var (name, _) in added.Members())
            {
                if (!int.TryParse(name, out var id) || id is < 0 or >= BpeModelReader.MaxTokenId) throw added.Error($"has an invalid id '{name}'");
                _addedTokens.Add(AddedToken.Read(added[name], id));
            }
        }
        var className = root["tokenizer_class"].StringOrNull() ?? "";
        if (BosClasses.Any(name => className == name || className == name + "Fast"))
        {
            (AddBos, AddEos) = (root["add_bos_token"].BoolOrNull(), root["add_eos_token"].BoolOrNull());
        }
        ReadChatTemplate(root["chat_template"]);
    }

    private void ReadChatTemplate(JsonField field)
    {
        if (!field.IsArray)
        {
            ChatTemplate = field.StringOrNull();
            return;
        }
        foreach (var item in field.Items()) NamedChatTemplates[item["name"].String()] = item["template"].String();
        ChatTemplate = NamedChatTemplates.GetValueOrDefault("default");
    }

    /// <summary>A special token is a string or an object with a "content".</summary>
    private static string? Text(JsonField field) => field.IsObject ? field["content"].String() : field.StringOrNull();
}
