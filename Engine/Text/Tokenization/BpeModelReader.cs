using System.Text.Json;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>Reads the <c>model</c> of a tokenizer.json.</summary>
internal static class BpeModelReader
{
    /// <summary>Far beyond any vocabulary; keeps a corrupt id from sizing the tables.</summary>
    public const int MaxTokenId = 1 << 24;

    public static BpeModel Read(JsonField field)
    {
        var type = field["type"].StringOrNull() ?? "BPE";               // the oldest files do not say
        if (type != "BPE") throw field["type"].Error($"'{type}' is not supported (only BPE is)");
        if (field["dropout"].NumberOrNull() is { } dropout and not 0) throw field["dropout"].Error($"{dropout} is not supported");

        var vocabulary = ReadVocabulary(field["vocab"]);
        var prefix = field["continuing_subword_prefix"].StringOrNull() ?? "";
        return new BpeModel(vocabulary, ReadMerges(field["merges"], vocabulary, prefix))
        {
            IgnoreMerges = field["ignore_merges"].Bool(absent: false),
            FuseUnknown = field["fuse_unk"].Bool(absent: false),
            ByteFallback = field["byte_fallback"].Bool(absent: false),
            UnknownToken = field["unk_token"].StringOrNull() is not { } unknown ? null
                : vocabulary.TryGetValue(unknown, out var id) ? id
                : throw field["unk_token"].Error($"'{unknown}' is not in model.vocab"),
            ContinuingPrefix = prefix,
            EndSuffix = field["end_of_word_suffix"].StringOrNull() ?? "",
        };
    }

    private static Dictionary<string, int> ReadVocabulary(JsonField field)
    {
        var vocabulary = new Dictionary<string, int>();
        foreach (var (token, value) in field.Members())
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var id) || id is < 0 or >= MaxTokenId)
            {
                throw field.Error($"has no valid id for the token '{token}'");
            }
            vocabulary[token] = id;
        }
        return vocabulary.Count > 0 ? vocabulary : throw field.Error("is empty");
    }

    private static Dictionary<long, BpeModel.Merge> ReadMerges(JsonField field, Dictionary<string, int> vocabulary, string prefix)
    {
        var merges = new Dictionary<long, BpeModel.Merge>();
        var rank = 0;
        foreach (var item in field.Items())
        {
            var (left, right) = ReadPair(item);
            var merged = left + (right.StartsWith(prefix, StringComparison.Ordinal) ? right[prefix.Length..] : right);
            merges[BpeModel.Pair(Id(item, left), Id(item, right))] = new(rank++, Id(item, merged));
        }
        return merges;

        int Id(JsonField item, string token) =>
            vocabulary.TryGetValue(token, out var id) ? id : throw item.Error($"names the token '{token}', which is not in model.vocab");
    }

    /// <summary>Files spell a merge "a b" or ["a", "b"]; only the latter can hold tokens with spaces.</summary>
    private static (string Left, string Right) ReadPair(JsonField item)
    {
        if (item.IsString)
        {
            return item.String().Split(' ') is [{ Length: > 0 } a, { Length: > 0 } b] ? (a, b) : throw item.Error("is not two tokens separated by a space");
        }
        return item.IsArray && item.Items().ToArray() is [var left, var right] ? (left.String(), right.String()) : throw item.Error("is not a pair of tokens");
    }
}
