namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>One step of the <c>pre_tokenizer</c>: cuts pieces into smaller ones, or rewrites them.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends what becomes of <paramref name="piece"/>, which is never empty, to <paramref name="pieces"/>; nor are those.</summary>
    public abstract void Apply(ReadOnlyMemory<char> piece, List<ReadOnlyMemory<char>> pieces);

    /// <summary>The steps in order; none when the field is null.</summary>
    public static IReadOnlyList<PreTokenizer> Read(JsonField field)
    {
        var steps = new List<PreTokenizer>();
        if (!field.IsNull) Add(field, steps);
        return steps;
    }

    private static void Add(JsonField field, List<PreTokenizer> steps)
    {
        var type = field["type"];
        switch (type.String())
        {
            case "Sequence":
                foreach (var item in field["pretokenizers"].Items()) Add(item, steps);
                break;
            case "Split":
                steps.Add(new SplitPreTokenizer(TextPattern.Read(field["pattern"]), SplitPreTokenizer.ReadBehavior(field["behavior"]), field["invert"].Bool(absent: false)));
                break;
            case "Digits":
                var number = TextPattern.Regex(@"\p{N}");
                steps.Add(new SplitPreTokenizer(number, field["individual_digits"].Bool(absent: false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false));
                break;
            case "ByteLevel":
                if (field["add_prefix_space"].Bool(absent: true)) steps.Add(new PrefixSpacePreTokenizer());
                if (field["use_regex"].Bool(absent: true)) steps.Add(new SplitPreTokenizer(TextPattern.Regex(SplitPreTokenizer.Gpt2), SplitBehavior.Isolated, invert: false));
                steps.Add(new ByteAlphabetPreTokenizer());
                break;
            default:
                throw type.Error($"'{type.String()}' is not supported");
        }
    }
}
