using System.Text.Json.Nodes;
using NanoAspire.Engine.Text;

namespace NanoAspire.Tests.Text;

/// <summary>A model folder with a hand-made tokenizer, in a temporary place.</summary>
internal sealed class TokenizerFolder : IDisposable
{
    private TokenizerFolder(string path) => FolderPath = path;

    public string FolderPath { get; }

    /// <param name="json">tokenizer.json as it stands.</param>
    /// <param name="config">tokenizer_config.json; null: no such file.</param>
    public static TokenizerFolder Write(string? json, string? config = null)
    {
        var folder = new TokenizerFolder(Directory.CreateTempSubdirectory("tokenizer-").FullName);
        if (json is not null) File.WriteAllText(Path.Combine(folder.FolderPath, "tokenizer.json"), json);
        if (config is not null) File.WriteAllText(Path.Combine(folder.FolderPath, "tokenizer_config.json"), config);
        return folder;
    }

    /// <summary>
    /// A tokenizer over the given tokens, numbered in their order; merges as "a b". The other parts are JSON, null when left out.
    /// </summary>
    public static Tokenizer Tokenizer(string[] vocabulary, string[] merges, string? normalizer = null, string? preTokenizer = null, string? postProcessor = null,
        string? decoder = null, string? addedTokens = null, string? model = null, string? config = null)
    {
        using var folder = Write(Json(vocabulary, merges, normalizer, preTokenizer, postProcessor, decoder, addedTokens, model), config);
        return Engine.Text.Tokenizer.Load(folder.FolderPath);
    }

    public static string Json(string[] vocabulary, string[] merges, string? normalizer = null, string? preTokenizer = null, string? postProcessor = null,
        string? decoder = null, string? addedTokens = null, string? model = null)
    {
        var bpe = JsonNode.Parse(model ?? "{}")!.AsObject();
        bpe["type"] = "BPE";
        bpe["vocab"] = new JsonObject(vocabulary.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id)));
        bpe["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode?)merge)]);
        return new JsonObject
        {
            ["added_tokens"] = JsonNode.Parse(addedTokens ?? "[]"),
            ["normalizer"] = JsonNode.Parse(normalizer ?? "null"),
            ["pre_tokenizer"] = JsonNode.Parse(preTokenizer ?? "null"),
            ["post_processor"] = JsonNode.Parse(postProcessor ?? "null"),
            ["decoder"] = JsonNode.Parse(decoder ?? "null"),
            ["model"] = bpe,
        }.ToJsonString();
    }

    public void Dispose() => Directory.Delete(FolderPath, recursive: true);
}
