namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Something that every block keeps for the tokens in it, e.g. the keys and values of one layer. A block is its planes one after the
/// other. Records, because their text is part of the layout digest.
/// </summary>
internal abstract record CachePlane
{
    /// <summary>Of one block; a multiple of 64, so that every plane is aligned.</summary>
    public abstract long Bytes { get; }
}
