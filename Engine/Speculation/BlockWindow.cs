using System.Collections;

namespace NanoAspire.Engine.Speculation;

/// <summary>A block table without its first blocks.</summary>
internal sealed class BlockWindow(IReadOnlyList<int> blocks, int skip) : IReadOnlyList<int>
{
    public int this[int index] => blocks[skip + index];
    public int Count => blocks.Count - skip;
    public IEnumerator<int> GetEnumerator() => blocks.Skip(skip).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
