namespace NanoAspire.Engine.Kernels;

/// <summary>
/// What one block holds: the planes of all layers, in the order in which the model numbers them. And what a sequence keeps apart from its
/// blocks, in a slot of as many whole blocks as that takes.
/// </summary>
internal sealed class CacheGeometry
{
    private readonly long[] _offsets, _stateOffsets;

    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="planes">At least one.</param>
    /// <param name="states">Recurrent states; none for models whose whole past is in their blocks.</param>
    public CacheGeometry(int blockSize, IReadOnlyList<CachePlane> planes, IReadOnlyList<StatePlane>? states = null)
    {
        (BlockSize, Planes, States) = (blockSize, planes, states ?? []);
        _offsets = new long[planes.Count];
        for (var i = 0; i < planes.Count; i++)
        {
            _offsets[i] = BlockBytes;
            BlockBytes += planes[i].Bytes;
        }
        _stateOffsets = new long[States.Count];
        for (var i = 0; i < States.Count; i++)
        {
            _stateOffsets[i] = StateBytes;
            StateBytes += States[i].Bytes;
        }
    }

    public int BlockSize { get; }
    public IReadOnlyList<CachePlane> Planes { get; }
    public IReadOnlyList<StatePlane> States { get; }
    public long BlockBytes { get; }
    /// <summary>Of one sequence; 0 for none.</summary>
    public long StateBytes { get; }
    /// <summary>Blocks of a state slot.</summary>
    public int StateBlocks => checked((int)((StateBytes + BlockBytes - 1) / BlockBytes));

    public long Offset(int plane) => _offsets[plane];
    public long StateOffset(int state) => _stateOffsets[state];

    /// <summary>Everything a block keeps is kept by token, so its tokens can be moved into blocks of another size.</summary>
    public bool IsByToken => Planes.All(plane => plane.IsByToken(BlockSize));

    /// <summary>For the layout digest: everything that decides where a value lies.</summary>
    public override string ToString() =>
        string.Join('\n', [$"{BlockSize} tokens a block", .. Planes.Select(plane => plane.ToString()), .. States.Select(state => state.ToString())]);
}
