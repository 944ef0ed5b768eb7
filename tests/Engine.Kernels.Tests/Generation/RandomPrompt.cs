namespace NanoAspire.Engine.Kernels.Tests.Generation;

/// <summary>A prompt of random tokens, in models that take images mostly with one or two somewhere in it.</summary>
/// <param name="Tokens">Placeholders included.</param>
/// <param name="Images">Null without.</param>
internal sealed record RandomPrompt(int[] Tokens, IReadOnlyList<PromptImage>? Images)
{
    private const int MostPerSide = 5;

    /// <param name="model">Gives the vocabulary and what an image looks like.</param>
    /// <param name="random">Of everything.</param>
    /// <param name="count">Tokens of text.</param>
    public static RandomPrompt Create(ModelInfo model, Random random, int count)
    {
        var tokens = Ids(random, count, model.VocabSize).ToList();
        if (model.Images is not { } input || random.Next(4) == 0) return new([.. tokens], null);
        var images = new List<PromptImage>();
        for (var (left, first) = (random.Next(1, 3), 0); left > 0; left--)
        {
            first = random.Next(first, tokens.Count + 1);
            var grid = new ImageGrid(random.Next(1, 3), random.Next(1, MostPerSide + 1), random.Next(1, MostPerSide + 1));
            tokens.InsertRange(first, Enumerable.Repeat(input.TokenId, grid.Tokens));
            images.Add(new(first, grid, Rows(), [.. Enumerable.Range(0, input.DeepstackLayers).Select(_ => (ReadOnlyMemory<float>)Rows())]));
            first += grid.Tokens;

            float[] Rows() => [.. Enumerable.Range(0, grid.Tokens * input.HiddenSize).Select(_ => (float)(2 * random.NextDouble() - 1))];
        }
        return new([.. tokens], images);
    }

    public static IEnumerable<int> Ids(Random random, int count, int vocabulary) => Enumerable.Range(0, count).Select(_ => random.Next(vocabulary));
}
