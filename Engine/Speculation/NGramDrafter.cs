namespace NanoAspire.Engine.Speculation;

/// <summary>
/// Looks for an earlier place in the sequence that ends like it does now, and proposes what came next there. Answers that quote their
/// prompt, lists and code repeat themselves; it needs no weights. A look-up reads the last <see cref="Window"/> tokens at most.
/// </summary>
internal sealed class NGramDrafter(int tokens) : IDrafter
{
    /// <summary>Tokens that must agree: a single one is no sign of repetition.</summary>
    private const int Shortest = 2;
    /// <summary>A longer agreement is not better.</summary>
    private const int Longest = 8;
    private const int Window = 16 * 1024;

    private readonly int[] _drafts = new int[tokens];

    public void Draft(IReadOnlyList<DraftInput> step)
    {
        foreach (var (sequence, _, _, _) in step)
        {
            if (!sequence.MayDraft) continue;
            var found = Propose(sequence.Tokens, _drafts.AsSpan(0, Math.Min(tokens, sequence.DraftLimit)));
            sequence.Drafts.AddRange(_drafts.AsSpan(0, found));
        }
    }

    /// <summary>The longest agreement wins, among equally long ones the latest.</summary>
    /// <param name="tokens">Of the sequence.</param>
    /// <param name="drafts">Into.</param>
    /// <returns>Drafts written: all or none.</returns>
    internal static int Propose(ReadOnlySpan<int> tokens, Span<int> drafts)
    {
        if (tokens.Length > Window) tokens = tokens[^Window..];
        var (next, best) = (0, Shortest - 1);
        var last = tokens.Length - 1;
        for (var place = Earlier(tokens, last); place >= 0 && best < Longest; place = Earlier(tokens, place))
        {
            var length = 1;
            while (length < Longest && length <= place && tokens[place - length] == tokens[last - length]) length++;
            if (length > best) (next, best) = (place + 1, length);
        }
        if (best < Shortest) return 0;
        // Where the earlier place runs into the end the repetition goes on with what was just proposed.
        for (var i = 0; i < drafts.Length; i++) drafts[i] = next + i < tokens.Length ? tokens[next + i] : drafts[next + i - tokens.Length];
        return drafts.Length;
    }

    /// <summary>Where the last token is found before <paramref name="place"/>; −1: nowhere.</summary>
    private static int Earlier(ReadOnlySpan<int> tokens, int place) => tokens[..place].LastIndexOf(tokens[^1]);
}
