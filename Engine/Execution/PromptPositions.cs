namespace NanoAspire.Engine.Execution;

/// <summary>
/// Where the tokens of a prompt with images are, in time, down and across. Text counts on in all three; an image begins after the highest
/// position so far and spans its grid, and what follows begins after it.
/// </summary>
internal sealed class PromptPositions
{
    private readonly TokenPosition[] _prompt;

    /// <param name="promptLength">Tokens.</param>
    /// <param name="images">In order.</param>
    public PromptPositions(int promptLength, IReadOnlyList<PromptImage> images)
    {
        _prompt = new TokenPosition[promptLength];
        var (token, next) = (0, 0);
        foreach (var image in images)
        {
            for (; token < image.FirstToken; token++) _prompt[token] = TokenPosition.Text(next++);
            var (_, rows, columns) = image.Grid;
            for (var i = 0; i < image.Tokens; i++) _prompt[token++] = new(next + i / (rows * columns), next + i / columns % rows, next + i % columns);
            next += Math.Max(image.Grid.Frames, Math.Max(rows, columns));
        }
        while (token < promptLength) _prompt[token++] = TokenPosition.Text(next++);
        Delta = next - promptLength;
    }

    /// <summary>From the index of a token after the prompt to its position; not positive.</summary>
    public int Delta { get; }

    public TokenPosition Of(int token) => token < _prompt.Length ? _prompt[token] : TokenPosition.Text(token + Delta);
}

/// <param name="Time">Frame, and the position of text.</param>
/// <param name="Row">Down.</param>
/// <param name="Column">Across.</param>
public readonly record struct TokenPosition(int Time, int Row, int Column)
{
    public static TokenPosition Text(int position) => new(position, position, position);
}
