namespace NanoAspire.Engine;

/// <summary>How a model takes images.</summary>
/// <param name="TokenId">Placeholder in the prompt, one for each row.</param>
/// <param name="HiddenSize">Columns of a row.</param>
/// <param name="DeepstackLayers">Further sets of rows an image brings.</param>
public sealed record ImageInput(int TokenId, int HiddenSize, int DeepstackLayers)
{
    /// <summary>Null when the images fit the prompt, else what is wrong.</summary>
    internal string? Check(IReadOnlyList<PromptImage> images, ReadOnlySpan<int> prompt)
    {
        var next = 0;
        foreach (var image in images)
        {
            if (image.FirstToken < next) return "images must be in the order of the prompt and must not overlap";
            if (image.Tokens > prompt.Length - image.FirstToken) return $"an image of {image.Tokens} tokens at {image.FirstToken} does not fit a prompt of {prompt.Length}";
            next = image.FirstToken + image.Tokens;
            if (prompt[image.FirstToken..next].ContainsAnyExcept(TokenId)) return $"the tokens of an image must be placeholders ({TokenId})";
            if (image.Embeddings.Length != (long)image.Tokens * HiddenSize) return $"an image of {image.Tokens} tokens brings {image.Embeddings.Length} numbers, not rows of {HiddenSize}";
            if (image.Deepstack.Count != DeepstackLayers) return $"an image brings {image.Deepstack.Count} deepstack layers, the model has {DeepstackLayers}";
            if (image.Deepstack.Any(rows => rows.Length != image.Embeddings.Length)) return "deepstack rows are as many and as long as the embeddings";
        }
        return null;
    }
}
