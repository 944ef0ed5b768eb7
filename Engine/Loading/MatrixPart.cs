namespace NanoAspire.Engine.Loading;

/// <summary>A stored matrix that becomes some rows of a larger one.</summary>
/// <param name="Name">Of the tensor.</param>
/// <param name="Rows">It has.</param>
/// <param name="Place">Where a stored row goes within these rows: a permutation, for tensors that interleave what is computed apart; null leaves them in order.</param>
internal readonly record struct MatrixPart(string Name, int Rows, Func<int, int>? Place = null)
{
    public static implicit operator MatrixPart((string Name, int Rows) part) => new(part.Name, part.Rows);
}
