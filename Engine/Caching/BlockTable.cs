using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Caching;

/// <summary>
/// One holder's references to blocks, in token order: position p lives in <c>Blocks[p / blockSize]</c> at slot <c>p % blockSize</c>. In
/// recurrent models also its state: a step reads <see cref="StateSource"/> and writes <see cref="StateTarget"/>.
/// Every way out of the engine ends in <see cref="Release"/>, which gives each reference back exactly once.
/// </summary>
internal sealed class BlockTable(BlockPool pool, IReadOnlyList<PromptImage>? images = null)
{
    private const int None = -1;
    /// <summary>Blocks of a prompt after which its state is kept, besides the last full one.</summary>
    private const int KeepEvery = 16;

    private readonly List<int> _blocks = [];
    /// <summary>Chain hashes of the leading full blocks; tokens only grow, so they stay right after a release.</summary>
    private readonly List<ulong> _hashes = [];
    private readonly ImageKeys _images = new(images ?? [], pool.BlockSize);
    private int _published;
    private long _content;
    private long _passing;

    public BlockPool Pool => pool;
    public IReadOnlyList<int> Blocks => _blocks;

    /// <summary>Slot of the state after the tokens computed so far; −1 before the first. Read-only when it is not the target.</summary>
    public int StateSource { get; private set; } = None;
    /// <summary>Slot that the next step writes; −1 in models without states.</summary>
    public int StateTarget { get; private set; } = None;
    /// <summary>The memory blocks of the state; none in models without.</summary>
    public IEnumerable<int> StateBlocks => StateSource == None ? [] : pool.States!.BlocksOf(StateSource);
    /// <summary>One entry a reference, for <see cref="StatePool.Validate"/>.</summary>
    public IEnumerable<int> StateReferences => new[] { StateSource, StateTarget }.Where(slot => slot != None).Distinct();

    /// <summary>Takes blocks for all of <paramref name="tokens"/>, published ones first, and a state slot where the model has states. All or nothing.</summary>
    /// <param name="tokens">Known tokens of the holder.</param>
    /// <param name="maxHits">Leading blocks that may come from the cache; the holder never writes into those.</param>
    /// <param name="hits">Leading blocks that did.</param>
    /// <param name="resume">The holder computes on from its hits, so they must end where a state was kept. False: the state will be written from outside.</param>
    public bool TryAllocate(ReadOnlySpan<int> tokens, int maxHits, out int hits, bool resume = true)
    {
        var found = new List<(int Id, long Content)>();
        long content = 0;
        for (var i = 0; pool.Caching && i < maxHits; i++)
        {
            if (!pool.TryFind(HashOf(tokens, i), content, BlockOf(tokens, i), _images.Of(i), out var id, out content)) break;
            found.Add((id, content));
        }
        var kept = resume ? CutToState(found) : None;

        hits = found.Count;
        var fresh = pool.BlocksFor(tokens.Length) - hits;
        if (fresh + found.Count(hit => pool.IsFree(hit.Id)) > pool.Free || pool.States is { Free: 0 }) return false;
        foreach (var (id, _) in found) pool.Share(id);     // before taking: a hit must not be evicted by its own request
        _blocks.AddRange(found.Select(hit => hit.Id));
        for (; fresh > 0; fresh--) _blocks.Add(pool.Take());
        (_published, _content) = (hits, hits > 0 ? found[^1].Content : 0);
        if (pool.States is not { } states) return true;
        if (kept != None) states.Share(kept);
        StateTarget = states.Take();
        StateSource = resume ? kept : StateTarget;
        return true;
    }

    /// <summary>Takes what is missing for <paramref name="tokens"/> tokens. All or nothing.</summary>
    public bool TryGrow(int tokens)
    {
        var missing = pool.BlocksFor(tokens) - _blocks.Count;
        if (missing > pool.Free) return false;
        for (; missing > 0; missing--) _blocks.Add(pool.Take());
        return true;
    }

    /// <summary>Cuts the next chunk of a prompt short where the state is worth keeping: a kept state is always one at the end of a step.</summary>
    public int Chunk(int computed, int chunk, int tokens)
    {
        if (!pool.Caching || pool.States is not { Free: > 0 }) return chunk;
        var stop = Math.Min((computed / Stride + 1) * Stride, LastStop(tokens));
        return stop > computed ? Math.Min(chunk, stop - computed) : chunk;
    }

    /// <summary>
    /// After the step that computed them: publishes the blocks that <paramref name="computed"/> tokens fill, and keeps the state at some of their
    /// ends: within a prompt for whoever has the same opening, after it for whoever continues the answer, then only the latest.
    /// </summary>
    public void Advance(ReadOnlySpan<int> tokens, int computed, int promptLength)
    {
        Publish(tokens, computed);
        if (pool.States is not { } states) return;
        if (StateSource != StateTarget && StateSource != None) states.Release(StateSource);
        StateSource = StateTarget;
        var passing = computed >= promptLength;
        if (!pool.Caching || computed % pool.BlockSize != 0 || !(passing || computed % Stride == 0 || computed == LastStop(tokens.Length))) return;
        if (states.Free == 0 || states.TryFind(_content, out _)) return;
        states.Keep(StateSource, _content);
        StateTarget = states.Take();
        if (_passing != 0) states.Drop(_passing);
        _passing = passing ? _content : 0;
    }

    /// <summary>Publishes the blocks that <paramref name="computed"/> tokens fill completely; call after the step that wrote them.</summary>
    public void Publish(ReadOnlySpan<int> tokens, int computed)
    {
        if (!pool.Caching) return;
        for (; (_published + 1) * pool.BlockSize <= computed; _published++)
            _content = pool.Publish(_blocks[_published], HashOf(tokens, _published), _content, BlockOf(tokens, _published), _images.Of(_published));
    }

    /// <summary>Makes the next step write its state apart from the one it reads, so that the step may be taken back. True in models without states.</summary>
    public bool TryFork()
    {
        if (pool.States is not { } states || StateSource != StateTarget) return true;
        if (states.Free == 0) return false;
        StateTarget = states.Take();
        return true;
    }

    /// <summary>Gives back all but the leading <paramref name="count"/> blocks.</summary>
    public void Truncate(int count)
    {
        for (var i = _blocks.Count - 1; i >= count; i--) pool.Release(_blocks[i]);
        CollectionsMarshal.SetCount(_blocks, Math.Min(count, _blocks.Count));
    }

    /// <summary>Nothing more will be computed: gives back the slot that the next step would have written.</summary>
    public void Rest()
    {
        if (StateTarget != StateSource) pool.States!.Release(StateTarget);
        StateTarget = StateSource;
    }

    public void Release()
    {
        Truncate(0);
        foreach (var slot in StateReferences) pool.States!.Release(slot);
        (_published, _content, _passing, StateSource, StateTarget) = (0, 0, 0, None, None);
    }

    /// <summary>Takes the table's blocks out of the prefix index: what they hold is not to be trusted.</summary>
    public void Forget()
    {
        foreach (var id in _blocks) pool.Unpublish(id);
    }

    private int Stride => KeepEvery * pool.BlockSize;

    /// <summary>As far as another request with these tokens can hit: it computes at least one.</summary>
    private int LastStop(int tokens) => (tokens - 1) / pool.BlockSize * pool.BlockSize;

    /// <summary>Drops hits behind the last kept state; all of them where sharing it would leave no slot to go on with.</summary>
    private int CutToState(List<(int Id, long Content)> hits)
    {
        if (pool.States is not { } states) return None;
        for (; hits.Count > 0; hits.RemoveAt(hits.Count - 1))
        {
            if (!states.TryFind(hits[^1].Content, out var slot)) continue;
            if (!states.IsFree(slot) || states.Free > 1) return slot;
            hits.Clear();
            break;
        }
        return None;
    }

    private ulong HashOf(ReadOnlySpan<int> tokens, int block)
    {
        for (var i = _hashes.Count; i <= block; i++) _hashes.Add(BlockHash.Next(i > 0 ? _hashes[i - 1] : null, BlockOf(tokens, i), _images.Of(i)));
        return _hashes[block];
    }

    private ReadOnlySpan<int> BlockOf(ReadOnlySpan<int> tokens, int block) => tokens.Slice(block * pool.BlockSize, pool.BlockSize);
}
