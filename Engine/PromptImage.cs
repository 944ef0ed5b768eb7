using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace NanoAspire.Engine;

/// <summary>
/// An image of a prompt as the language model reads it: one row for each of its placeholder tokens. The rows are copied nowhere and must not change.
/// </summary>
public sealed class PromptImage
{
    private readonly byte[] _digest;

    /// <param name="firstToken">Index of its first placeholder in the prompt.</param>
    /// <param name="grid">What the rows stand for, in reading order.</param>
    /// <param name="embeddings">[tokens, hidden size]: take the place of the placeholders' embeddings.</param>
    /// <param name="deepstack">[tokens, hidden size] each: added to the stream after the first layers, one after the other; empty for models without.</param>
    public PromptImage(int firstToken, ImageGrid grid, ReadOnlyMemory<float> embeddings, IReadOnlyList<ReadOnlyMemory<float>> deepstack)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstToken);
        if (grid.Frames < 1 || grid.Rows < 1 || grid.Columns < 1) throw new ArgumentException("An image has at least one token.", nameof(grid));
        (FirstToken, Grid, Embeddings, Deepstack) = (firstToken, grid, embeddings, deepstack);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([grid.Frames, grid.Rows, grid.Columns, deepstack.Count]));
        hash.AppendData(MemoryMarshal.AsBytes(embeddings.Span));
        foreach (var rows in deepstack) hash.AppendData(MemoryMarshal.AsBytes(rows.Span));
        _digest = hash.GetHashAndReset();
    }

    public int FirstToken { get; }
    public ImageGrid Grid { get; }
    public int Tokens => Grid.Tokens;
    public ReadOnlyMemory<float> Embeddings { get; }
    public IReadOnlyList<ReadOnlyMemory<float>> Deepstack { get; }

    /// <summary>SHA-256 over grid and rows, those of all deepstack layers included.</summary>
    internal ReadOnlySpan<byte> Digest => _digest;

    /// <summary>SHA-256 over where each image begins and its digest, in hex; null for a prompt of text alone. Tokens and this are what a prompt's KV depends on.</summary>
    internal static string? DigestOf(IReadOnlyList<PromptImage> images)
    {
        if (images.Count == 0) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> place = stackalloc byte[sizeof(int)];
        foreach (var image in images)
        {
            BinaryPrimitives.WriteInt32LittleEndian(place, image.FirstToken);
            hash.AppendData(place);
            hash.AppendData(image._digest);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>The tokens of an image after merging patches.</summary>
/// <param name="Frames">1 for a picture.</param>
/// <param name="Rows">From top to bottom.</param>
/// <param name="Columns">From left to right.</param>
public readonly record struct ImageGrid(int Frames, int Rows, int Columns)
{
    public int Tokens => checked(Frames * Rows * Columns);
}
