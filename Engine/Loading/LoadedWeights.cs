namespace NanoAspire.Engine.Loading;

/// <summary>The memory behind a model's matrices and vectors; it outlives every use of them.</summary>
/// <param name="Memory">Disposed with this.</param>
/// <param name="Bytes">Kept in memory, padding included.</param>
/// <param name="Digest">Lower-case hex digest of names, types, shapes and contents of all tensors read.</param>
internal sealed record LoadedWeights(IReadOnlyList<IDisposable> Memory, long Bytes, string Digest) : IDisposable
{
    public void Dispose()
    {
        foreach (var memory in Memory) memory.Dispose();
    }
}
