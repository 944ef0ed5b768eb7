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
    public IReadOnlyList<PromptImage> Images => images;
    /// <summary>Null without images.</summary>
    public string? ImagesDigest { get; } = PromptImage.DigestOf(images);

    protected void AddToken(int id) => _tokens.Add(id);
}
