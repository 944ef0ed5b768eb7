using System.Diagnostics.CodeAnalysis;

namespace NanoAspire.Router.Policies;

/// <summary>A map that forgets what was not used for a while, and the least recently used when it is full. Thread-safe.</summary>
internal sealed class RecentMap<TKey, TValue>(int capacity, TimeSpan idle, TimeProvider time) where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];   // most recent first

    public int Count { get { lock (_lock) return _entries.Count; } }

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            Expire();
            if (_entries.TryGetValue(key, out var entry))
            {
                value = entry.Value.Value;
                return true;
            }
            value = default;
            return false;
        }
    }

    /// <summary>Sets the value and counts as a use.</summary>
    public void Set(TKey key, TValue value)
    {
        lock (_lock)
        {
            Expire();
            if (_entries.TryGetValue(key, out var entry)) _byUse.Remove(entry);
            else
            {
                if (_entries.Count >= capacity) RemoveLast();
                _entries[key] = entry = new LinkedListNode<Entry>(default!);
            }
            entry.Value = new Entry(key, value, time.GetTimestamp());
            _byUse.AddFirst(entry);
        }
    }

    private void Expire()
    {
        while (_byUse.Last is { } last && time.GetElapsedTime(last.Value.Used) > idle) RemoveLast();
    }

    private void RemoveLast()
    {
        _entries.Remove(_byUse.Last!.Value.Key);
        _byUse.RemoveLast();
    }

    private readonly record struct Entry(TKey Key, TValue Value, long Used);
}
