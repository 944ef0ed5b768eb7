namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>The special tokens that the <c>post_processor</c> puts around a single text.</summary>
internal sealed record PostProcessor(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static PostProcessor None { get; } = new([], []);

    public static PostProcessor Read(JsonField field)
    {
        if (field.IsNull) return None;
        var type = field["type"];
        switch (type.String())
        {
            case "Sequence":
                return field["processors"].Items().Select(Read).Aggregate(None,
                    (inner, outer) => new([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After]));
            case "ByteLevel":
                return None;                                            // only moves offsets
            case "TemplateProcessing":
                return ReadTemplate(field);
            default:
                throw type.Error($"'{type.String()}' is not supported");
        }
    }

    private static PostProcessor ReadTemplate(JsonField field)
    {
        var tokens = field["special_tokens"];
        var (before, after) = (new List<int>(), new List<int>());
        var seen = false;
        foreach (var piece in field["single"].Items())
        {
            if (piece["Sequence"] is { IsNull: false } sequence)
            {
                if (seen || sequence["id"].String() != "A") throw piece.Error("must be the one sequence A");
                seen = true;
                continue;
            }
            var name = piece["SpecialToken"]["id"].String();
            (seen ? after : before).AddRange(tokens[name]["ids"].Items().Select(id => id.Int()));
        }
        return seen ? new(before, after) : throw field["single"].Error("has no sequence A");
    }
}
