namespace NanoAspire.Engine.Kernels;

/// <summary>
/// The axis whose position each rotated pair turns by, interleaved so that every axis has fast and slow pairs: time, row, column, time, …
/// until an axis has its share, then time.
/// </summary>
internal sealed class RopeAxes
{
    private readonly int[] _sections;

    /// <param name="sections">Pairs of time, row and column.</param>
    public RopeAxes(IReadOnlyList<int> sections)
    {
        _sections = [.. sections];
        OfPair = [.. Enumerable.Range(0, _sections.Sum()).Select(pair => pair % 3 > 0 && pair < 3 * _sections[pair % 3] ? pair % 3 : 0)];
    }

    /// <summary>0 time, 1 row, 2 column.</summary>
    public int[] OfPair { get; }

    /// <summary>For the layout digest.</summary>
    public override string ToString() => string.Join(' ', _sections);
}
