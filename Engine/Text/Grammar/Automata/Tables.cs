using System.Collections.Concurrent;

namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>
/// Configurations and stacks met so far, each once. Grows while a grammar is used; its automaton starts a new one when it is
/// full, and what still points into the old one goes on working until it moves over.
/// </summary>
internal sealed class Tables
{
    /// <summary>Rough cost in bytes of a configuration with its row of transitions, and of a stack entry.</summary>
    private const int ConfigBytes = 600, FrameBytes = 150;

    private readonly ConcurrentDictionary<(Frame, GrammarState, GrammarRule?, int, int, int), Frame> _frames = new();
    private readonly ConcurrentDictionary<Config, Config> _configs = new(ByItems.Instance);
    private long _bytes;
    private int _lastFrame;

    /// <summary>Estimated memory, masks included.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public void Charge(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public Frame Frame(Frame parent, GrammarState target, GrammarRule? loop, int need, int room, int nest)
    {
        var key = (parent, target, loop, need, room, nest);
        if (_frames.TryGetValue(key, out var known)) return known;
        Charge(FrameBytes);
        return _frames.GetOrAdd(key, new Frame(Interlocked.Increment(ref _lastFrame), parent, target, loop, need, room, nest));
    }

    /// <param name="items">Sorted, without repetition.</param>
    /// <param name="complete">Whether the text may end here.</param>
    public Config Config(Item[] items, bool complete)
    {
        if (items.Length == 0 && !complete) return Automata.Config.Dead;
        var fresh = new Config(this, items, complete);
        if (_configs.TryGetValue(fresh, out var known)) return known;
        Charge(ConfigBytes + 16L * items.Length);
        return _configs.GetOrAdd(fresh, fresh);
    }

    private sealed class ByItems : IEqualityComparer<Config>
    {
        public static ByItems Instance { get; } = new();

        public bool Equals(Config? x, Config? y) => x!.Complete == y!.Complete && x.Items.AsSpan().SequenceEqual(y.Items);

        public int GetHashCode(Config config)
        {
            var hash = new HashCode();
            hash.Add(config.Complete);
            foreach (var item in config.Items)
            {
                hash.Add(item.State.Id);
                hash.Add(item.Frame.Id);
            }
            return hash.ToHashCode();
        }
    }
}
