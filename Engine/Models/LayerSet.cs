namespace NanoAspire.Engine.Models;

/// <summary>Some of a model's layers, by number. Its text names them, because a configuration's text is part of the layout digest.</summary>
internal sealed class LayerSet(IEnumerable<int> layers)
{
    private readonly SortedSet<int> _layers = [.. layers];

    public int Count => _layers.Count;

    public bool Contains(int layer) => _layers.Contains(layer);

    public override string ToString() => string.Join(' ', _layers);
}
