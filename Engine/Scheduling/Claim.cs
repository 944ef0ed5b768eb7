using System.Runtime.InteropServices;
using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Scheduling;

internal enum ClaimState
{
    /// <summary>Not seen by the scheduler yet.</summary>
    New,
    Waiting,
    /// <summary>A reservation that holds its blocks and a slot.</summary>
    Reserved,
    Running,
    Ended,
}

/// <summary>Something that waits in line for blocks and one of the engine's slots: a sequence, or a reservation for one.</summary>
internal abstract class Claim(List<int> tokens, BlockTable table, IReadOnlyList<PromptImage> images)
{
    private readonly List<int> _tokens = tokens;
    private readonly List<int>? _keys = images.Count == 0 ? null : KeysOf(tokens, images);

    /// <summary>Place in line, given once: preemption does not move a claim behind later ones.</summary>
    public long Order { get; set; }
    public ClaimState State { get; set; }
    public BlockTable Table { get; } = table;
    public LinkedListNode<Claim>? Node { get; set; }

    /// <summary>Given up by its caller, maybe before the scheduler has seen it.</summary>
    public abstract bool IsUnwanted { get; }

    /// <summary>Tells whoever waits for it that nothing more will come. Harmless when it has ended.</summary>
    public abstract void Fail(string error);

    public int TokenCount => _tokens.Count;
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);
    /// <summary>What the prefix cache knows the tokens by: their ids, and for placeholders their image.</summary>
    public ReadOnlySpan<int> Keys => CollectionsMarshal.AsSpan(_keys ?? _tokens);
    public IReadOnlyList<PromptImage> Images => images;

    protected void AddToken(int id)
    {
        _tokens.Add(id);
        _keys?.Add(id);
    }

    private static List<int> KeysOf(List<int> tokens, IReadOnlyList<PromptImage> images)
    {
        var keys = new List<int>(tokens);
        foreach (var image in images)
            for (var row = 0; row < image.Tokens; row++) keys[image.FirstToken + row] = image.CacheKey(row);
        return keys;
    }
}
