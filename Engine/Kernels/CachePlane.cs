namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Something that every block keeps for the tokens in it, e.g. the keys and values of one layer. A block is its planes one after the
/// other. Records, because their text is part of the layout digest.
/// </summary>
internal abstract record CachePlane
{
    /// <summary>Of one block; a multiple of 64, so that every plane is aligned.</summary>
    public abstract long Bytes { get; }

    /// <summary>
    /// Copies the tokens of a run of slots into a block of another size. Both sizes are a multiple of <paramref name="count"/>, and so are the slots.
    /// </summary>
    /// <param name="from">This plane in the source block.</param>
    /// <param name="fromSlot">First token there.</param>
    /// <param name="other">The same plane of the other block size.</param>
    /// <param name="to">That plane in the destination block.</param>
    /// <param name="toSlot">First token there.</param>
    /// <param name="count">Tokens, a multiple of 16.</param>
    /// <returns>False, and nothing copied, when what the plane keeps is not by token.</returns>
    public virtual unsafe bool TryCopyTokens(byte* from, int fromSlot, CachePlane other, byte* to, int toSlot, int count) => false;

    /// <summary>True when <see cref="TryCopyTokens"/> works for blocks of <paramref name="blockSize"/> tokens.</summary>
    public virtual bool IsByToken(int blockSize) => false;
}
