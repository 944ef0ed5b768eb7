using System.Numerics;

namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>
/// Works out which tokens a configuration allows by walking the vocabulary's tree. What a rule makes of the tree without its
/// caller is kept (<see cref="Config.Locals"/>): inside a string, nearly all tokens are decided by that once for the whole
/// grammar, and only those that leave the string are looked at with the stack at hand.
/// </summary>
internal sealed class MaskBuilder(Automaton automaton, GrammarVocabulary vocabulary)
{
    /// <summary>Up to this many tokens a list is smaller and faster than bits.</summary>
    private const int ListLimit = 1024;

    private readonly TokenTree[] _trees = vocabulary.Trees;
    private readonly int _words = (vocabulary.Size + 63) / 64;
    private readonly int _safeNest = GrammarBuilder.MaxNesting - vocabulary.MaxOpenings - automaton.Tallest;

    public TokenMask Build(Config config)
    {
        var found = new Found(_words);
        if (config.Items.Any(item => item.Frame.Nest > _safeNest)) Walk(_trees[GrammarVocabulary.Whole], config, found);
        else foreach (var group in config.Items.GroupBy(item => Boundary(item.Frame))) AddGroup(group.Key, [.. group], found);
        foreach (var item in config.Items)
        {
            foreach (var edge in item.State.Edges)
            {
                if (edge.Kind == EdgeKind.Token) found.Add(edge.Token);
            }
        }
        return Charged(found.ToMask(), shared: found.Shared);
    }

    /// <summary>States whose stacks are the same up to loops: their common part of the mask is known or worked out now.</summary>
    private void AddGroup(Frame boundary, Item[] items, Found found)
    {
        if (!Array.Exists(items, item => item.State.Edges.Exists(edge => edge.Kind == EdgeKind.Bytes))) return;
        if (Array.Exists(items, item => Counts(item.Frame)))
        {
            AddPart(GrammarVocabulary.Short, boundary, items, found);
            AddPart(GrammarVocabulary.Long, boundary, items, found);
        }
        else AddPart(GrammarVocabulary.Whole, boundary, items, found);
    }

    private void AddPart(int part, Frame boundary, Item[] items, Found found)
    {
        var tree = _trees[part];
        var config = Relative(items, tree.MaxDepth + 1);
        var local = config.Locals[part] ??= BuildLocal(tree, config);
        found.Add(local.Tokens);
        if (local.Exits.Length == 0) return;
        var after = automaton.After(boundary);
        foreach (var exit in local.Exits) Walk(tree, exit + 1, tree.After[exit], after, found, exits: null);
    }

    private LocalMask BuildLocal(TokenTree tree, Config config)
    {
        var found = new Found(_words);
        var exits = new List<int>();
        Walk(tree, 0, tree.Count, config, found, exits);
        var mask = found.ToMask();
        automaton.Tables.Charge(4L * exits.Count + (mask.Bits is null ? 0 : 8L * _words));
        return new(Charged(mask, shared: null), [.. exits]);
    }

    /// <summary>The first entry that is not a loop: what lies above it depends on the rule and its counters alone.</summary>
    private static Frame Boundary(Frame frame)
    {
        while (frame.Loop is not null) frame = frame.Parent!;
        return frame;
    }

    /// <summary>A loop above the boundary has counters that are not yet as good as none.</summary>
    private static bool Counts(Frame frame)
    {
        for (; frame.Loop is not null; frame = frame.Parent!)
        {
            if (frame.Need > 0 || frame.Room != int.MaxValue) return true;
        }
        return false;
    }

    /// <summary>The items on a bottom of their own, with counters cut to <paramref name="limit"/>, more than one token can count.</summary>
    private Config Relative(Item[] items, int limit)
    {
        var tables = automaton.Tables;
        var relative = Array.ConvertAll(items, item => item with { Frame = Rebase(item.Frame) });
        Array.Sort(relative);
        return tables.Config([.. relative.Distinct()], complete: false);

        Frame Rebase(Frame frame) => frame.Loop is null
            ? Frame.Bottom
            : tables.Frame(Rebase(frame.Parent!), frame.Target!, frame.Loop, Math.Min(frame.Need, limit), frame.Room == int.MaxValue ? frame.Room : Math.Min(frame.Room, limit), 0);
    }

    private void Walk(TokenTree tree, Config start, Found found) => Walk(tree, 0, tree.Count, start, found, exits: null);

    /// <summary>Walks the nodes [from, to), children of one node (or the whole tree), from a configuration before them.</summary>
    private void Walk(TokenTree tree, int from, int to, Config start, Found found, List<int>? exits)
    {
        if (from >= to || start.Items.Length == 0) return;
        var (bytes, depths, after, tokens) = (tree.Bytes, tree.Depths, tree.After, tree.Tokens);
        var top = depths[from] - 1;
        var classes = automaton.Classes;
        var path = new Config[tree.MaxDepth + 1];         // by length of the string
        var rows = new Config?[tree.MaxDepth + 1][];      // their transitions: the loop below is where the time goes
        (path[top], rows[top]) = (start, start.Next(automaton.Symbols));
        for (var node = from; node < to; )
        {
            var depth = depths[node];
            var config = rows[depth - 1][classes[bytes[node]]] ?? automaton.Next(path[depth - 1], bytes[node]);
            if (config == Config.Dead)
            {
                node = after[node];
                continue;
            }
            if (path[depth] != config) (path[depth], rows[depth]) = (config, config.Next(automaton.Symbols));
            for (var token = tokens[node]; token >= 0; token = tree.SameBytes(token)) found.Add(token);
            if (exits is not null && config.Complete && after[node] > node + 1) exits.Add(node);
            node = config.Items.Length == 0 ? after[node] : node + 1;
        }
    }

    private TokenMask Charged(TokenMask mask, ulong[]? shared)
    {
        automaton.Tables.Charge(mask.Bytes + (mask.Bits is null || mask.Bits == shared ? 0 : 8L * _words));
        return mask;
    }

    /// <summary>Collects tokens; a set that is given whole is shared instead of copied while it is the only one.</summary>
    private sealed class Found(int words)
    {
        private List<int> _few = [];
        private ulong[]? _many;

        public ulong[]? Shared { get; private set; }

        public void Add(int id)
        {
            if (_many is not null)
            {
                _many[id >> 6] |= 1UL << id;
                return;
            }
            _few.Add(id);
            if (_few.Count > ListLimit) Spread();
        }

        public void Add(TokenMask mask)
        {
            foreach (var id in mask.Ids) Add(id);
            if (mask.Bits is null) return;
            if (Shared is null && _many is null)
            {
                Shared = mask.Bits;
                return;
            }
            Spread();
            for (var i = 0; i < words; i++) _many![i] |= mask.Bits[i];
        }

        public TokenMask ToMask()
        {
            if (_many is null) return new(Shared, [.. _few.Distinct().Order()]);
            if (_many.Sum(BitOperations.PopCount) > ListLimit) return new(_many, []);
            return new(null, [.. new TokenMask(_many, []).Tokens()]);
        }

        private void Spread()
        {
            if (_many is not null) return;
            _many = Shared is null ? new ulong[words] : (ulong[])Shared.Clone();
            Shared = null;
            foreach (var id in _few) _many[id >> 6] |= 1UL << id;
            _few = [];
        }
    }
}
