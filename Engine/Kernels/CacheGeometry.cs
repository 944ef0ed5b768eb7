namespace NanoAspire.Engine.Kernels;

/// <summary>What one block holds: the planes of all layers, in the order in which the model numbers them.</summary>
internal sealed class CacheGeometry
{
    private readonly long[] _offsets;

    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="planes">At least one.</param>
    public CacheGeometry(int blockSize, IReadOnlyList<CachePlane> planes)
    {
        (BlockSize, Planes) = (blockSize, planes);
        _offsets = new long[planes.Count];
        for (var i = 0; i < planes.Count; i++)
        {
            _offsets[i] = BlockBytes;
            BlockBytes += planes[i].Bytes;
        }
    }

    public int BlockSize { get; }
    public IReadOnlyList<CachePlane> Planes { get; }
    public long BlockBytes { get; }

    public long Offset(int plane) => _offsets[plane];

    /// <summary>For the layout digest: everything that decides where a value lies.</summary>
    public override string ToString() => string.Join('\n', Planes.Select(plane => plane.ToString()).Prepend($"{BlockSize} tokens a block"));
}
