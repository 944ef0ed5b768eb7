using System.Runtime.InteropServices;
using NanoAspire.Engine.Loading;
using NanoAspire.Tests;

namespace NanoAspire.Engine.Kernels.Tests.Models;

/// <summary>What the reference's vision tower gave for the images of a prompt.</summary>
internal sealed class GoldenImages : IDisposable
{
    private const int MergedPatches = 2;
    private readonly SafetensorsFile _file;
    private readonly string _prefix;

    public GoldenImages(string name, string prefix) => (_file, _prefix) = (SafetensorsFile.Open(Path.Combine(RepositoryPaths.Goldens, name, "vision.safetensors")), prefix);

    /// <param name="prompt">Its tokens.</param>
    /// <param name="grids">Frames, rows and columns of patches of each image.</param>
    /// <param name="input">Of the model.</param>
    public PromptImage[] Read(int[] prompt, int[][] grids, ImageInput input)
    {
        var (images, row, token) = (new PromptImage[grids.Length], 0, 0);
        for (var i = 0; i < images.Length; i++)
        {
            var grid = new ImageGrid(grids[i][0], grids[i][1] / MergedPatches, grids[i][2] / MergedPatches);
            token = Array.IndexOf(prompt, input.TokenId, token);
            images[i] = new(token, grid, Rows("image_embeds", row, grid.Tokens, input.HiddenSize), [.. Enumerable.Range(0, input.DeepstackLayers).Select(layer => (ReadOnlyMemory<float>)Rows($"deepstack.{layer}", row, grid.Tokens, input.HiddenSize))]);
            (row, token) = (row + grid.Tokens, token + grid.Tokens);
        }
        return images;
    }

    /// <summary>[3, tokens]</summary>
    public long[] Positions() => Numbers<long>("position_ids");

    public void Dispose() => _file.Dispose();

    private float[] Rows(string name, int first, int count, int columns) => Numbers<float>(name).AsSpan(first * columns, count * columns).ToArray();

    private unsafe T[] Numbers<T>(string name) where T : unmanaged
    {
        var tensor = _file.Tensors.Single(tensor => tensor.Name == _prefix + name);
        using var range = _file.Map(tensor.Offset, tensor.Bytes);
        return MemoryMarshal.Cast<byte, T>(new ReadOnlySpan<byte>(range.Address, (int)tensor.Bytes)).ToArray();
    }
}
