namespace NanoAspire.Engine.Kernels;

/// <summary>The positions that each token of a step attends to, ascending; memory of a workspace frame.</summary>
internal readonly unsafe struct Selection(int* counts, int* positions, int most)
{
    /// <summary>Positions of a token at most.</summary>
    public int Most => most;

    /// <summary>How many positions the token has: all it sees, or <see cref="Most"/>.</summary>
    public ref int Count(int token) => ref counts[token];

    public int* Positions(int token) => positions + (long)token * most;
}
