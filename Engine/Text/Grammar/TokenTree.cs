namespace NanoAspire.Engine.Text.Grammar;

/// <summary>
/// The byte strings of a vocabulary as a tree, flat in preorder: a node's first child comes right after it, and
/// <see cref="After"/> skips its subtree. Immutable.
/// </summary>
internal sealed class TokenTree
{
    private readonly int[] _sameBytes;

    private TokenTree(int nodes, int[] sameBytes)
    {
        (Bytes, Depths, After, Tokens) = (new byte[nodes], new ushort[nodes], new int[nodes], new int[nodes]);
        _sameBytes = sameBytes;
    }

    /// <summary>The last byte of each node's string.</summary>
    public byte[] Bytes { get; }
    /// <summary>The length of each node's string; at least 1.</summary>
    public ushort[] Depths { get; }
    /// <summary>The first node behind each node's subtree.</summary>
    public int[] After { get; }
    /// <summary>The node's token, or -1; see <see cref="SameBytes"/>.</summary>
    public int[] Tokens { get; }
    public int Count => Bytes.Length;
    public int MaxDepth { get; private set; }

    /// <summary>The next token of the same bytes, or -1.</summary>
    public int SameBytes(int token) => _sameBytes[token];

    /// <param name="texts">By token id; null or empty for ids that have no place in a text. At most 65,535 bytes each.</param>
    public static TokenTree Build(IReadOnlyList<byte[]?> texts)
    {
        var ids = Enumerable.Range(0, texts.Count).Where(id => texts[id] is { Length: > 0 and <= ushort.MaxValue }).ToArray();
        Array.Sort(ids, (a, b) => texts[a].AsSpan().SequenceCompareTo(texts[b]) is var order and not 0 ? order : a.CompareTo(b));

        var same = new int[texts.Count];
        Array.Fill(same, -1);
        var nodes = 0;
        for (var i = 0; i < ids.Length; i++) nodes += texts[ids[i]]!.Length - Shared(texts, ids, i);
        var tree = new TokenTree(nodes, same);
        Array.Fill(tree.Tokens, -1);

        var path = new List<int>();                        // nodes of the current string
        var next = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            var text = texts[ids[i]]!;
            var shared = Shared(texts, ids, i);
            tree.Close(path, shared, next);
            for (var at = shared; at < text.Length; at++)
            {
                tree.Bytes[next] = text[at];
                tree.Depths[next] = (ushort)(at + 1);
                path.Add(next++);
            }
            var node = path[^1];
            same[ids[i]] = tree.Tokens[node];
            tree.Tokens[node] = ids[i];
            tree.MaxDepth = Math.Max(tree.MaxDepth, text.Length);
        }
        tree.Close(path, 0, next);
        return tree;
    }

    private void Close(List<int> path, int keep, int next)
    {
        for (var i = keep; i < path.Count; i++) After[path[i]] = next;
        path.RemoveRange(keep, path.Count - keep);
    }

    private static int Shared(IReadOnlyList<byte[]?> texts, int[] ids, int i) =>
        i == 0 ? 0 : texts[ids[i - 1]].AsSpan().CommonPrefixLength(texts[ids[i]]);
}
