namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>
/// A grammar as an automaton over bytes and added tokens: pushdown, because JSON nests, and possibly ambiguous, so it moves
/// between sets of states (<see cref="Config"/>) that it works out when they are first needed. Safe to share between threads.
/// </summary>
internal sealed class Automaton
{
    /// <summary>Memory after which the tables start over.</summary>
    public const long MaxTableBytes = 16 << 20;

    private readonly byte[] _classes = new byte[256];
    private readonly byte[] _representatives;
    private readonly Dictionary<int, int> _tokenSymbols = [];
    private readonly GrammarRule _root;
    private readonly long _stateBytes;
    private Tables _tables = new();

    /// <param name="states">All states, sealed.</param>
    /// <param name="root">The rule that a whole text follows.</param>
    public Automaton(IReadOnlyList<GrammarState> states, GrammarRule root)
    {
        _root = root;
        _stateBytes = 250L * states.Count;
        var sets = new HashSet<ByteSet>();
        foreach (var edge in states.SelectMany(state => state.Edges))
        {
            if (edge.Kind == EdgeKind.Bytes) sets.Add(edge.Bytes);
            if (edge.Kind == EdgeKind.Token) _tokenSymbols.TryAdd(edge.Token, _tokenSymbols.Count);
        }
        var count = Classify(sets);
        _representatives = new byte[count];
        for (var value = 255; value >= 0; value--) _representatives[_classes[value]] = (byte)value;
        Symbols = count + _tokenSymbols.Count;
        Tallest = states.Where(state => state.Height != GrammarState.Endless).Select(state => state.Height).DefaultIfEmpty().Max();
    }

    /// <summary>Classes of bytes that the grammar never tells apart, then added tokens.</summary>
    public int Symbols { get; }
    /// <summary>Most levels of nesting that any state still needs.</summary>
    public int Tallest { get; }
    /// <summary>Estimated memory: states and tables.</summary>
    public long Bytes => _stateBytes + Tables.Bytes;
    public Tables Tables => Volatile.Read(ref _tables);

    public Config Start()
    {
        var closure = new Closure(Tables);
        closure.Add(_root.Start, Frame.Bottom);
        return closure.Finish();
    }

    /// <summary>By byte value: its class, which is its symbol.</summary>
    public ReadOnlySpan<byte> Classes => _classes;

    public Config Next(Config config, byte value) => Follow(config, _classes[value]);

    public Config NextToken(Config config, int id) => _tokenSymbols.TryGetValue(id, out var token) ? Follow(config, _representatives.Length + token) : Config.Dead;

    /// <summary>What comes after the rule on top of <paramref name="frame"/> has ended.</summary>
    public Config After(Frame frame)
    {
        var closure = new Closure(Tables);
        closure.Return(frame);
        return closure.Finish();
    }

    /// <summary>The same configuration in tables that are not full: call between tokens, so that old tables can go.</summary>
    public Config Current(Config config)
    {
        var tables = Tables;
        if (tables.Bytes > MaxTableBytes)
        {
            Interlocked.CompareExchange(ref _tables, new(), tables);
            tables = Tables;
        }
        if (config.Owner is null || config.Owner == tables) return config;
        var moved = new Dictionary<Frame, Frame>();
        var items = Array.ConvertAll(config.Items, item => item with { Frame = Move(item.Frame, tables, moved) });
        Array.Sort(items);
        return tables.Config(items, config.Complete);
    }

    private static Frame Move(Frame frame, Tables tables, Dictionary<Frame, Frame> moved)
    {
        if (frame.Parent is null) return frame;
        if (moved.TryGetValue(frame, out var known)) return known;
        return moved[frame] = tables.Frame(Move(frame.Parent, tables, moved), frame.Target!, frame.Loop, frame.Need, frame.Room, frame.Nest);
    }

    private Config Follow(Config config, int symbol)
    {
        if (config.Items.Length == 0) return Config.Dead;
        var next = config.Next(Symbols);
        return next[symbol] ??= Explore(config, symbol);
    }

    private Config Explore(Config config, int symbol)
    {
        var closure = new Closure(Tables);
        foreach (var item in config.Items)
        {
            foreach (var edge in item.State.Edges)
            {
                if (Consumes(edge, symbol)) closure.Add(edge.Target, item.Frame);
            }
        }
        return closure.Finish();
    }

    private bool Consumes(Edge edge, int symbol) => edge.Kind switch
    {
        EdgeKind.Bytes => symbol < _representatives.Length && edge.Bytes.Contains(_representatives[symbol]),
        EdgeKind.Token => symbol - _representatives.Length == _tokenSymbols[edge.Token],
        _ => false,
    };

    /// <summary>Splits the bytes into classes that no set separates.</summary>
    private int Classify(HashSet<ByteSet> sets)
    {
        var count = 1;
        foreach (var set in sets)
        {
            var split = new Dictionary<(byte, bool), byte>();
            for (var value = 0; value < 256; value++)
            {
                var key = (_classes[value], set.Contains((byte)value));
                if (!split.TryGetValue(key, out var to)) split[key] = to = (byte)split.Count;
                _classes[value] = to;
            }
            count = split.Count;
        }
        return count;
    }
}
