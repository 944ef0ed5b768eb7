using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Caching;

/// <summary>
/// One holder's references to blocks, in token order: position p lives in <c>Blocks[p / blockSize]</c> at slot <c>p % blockSize</c>.
/// Every way out of the engine ends in <see cref="Release"/>, which gives each reference back exactly once.
/// </summary>
internal sealed class BlockTable(BlockPool pool)
{
    private readonly List<int> _blocks = [];
    /// <summary>Chain hashes of the leading full blocks; tokens only grow, so they stay right after a release.</summary>
    private readonly List<ulong> _hashes = [];
    private int _published;
    private long _content;

    public BlockPool Pool => pool;
    public IReadOnlyList<int> Blocks => _blocks;

    /// <summary>Takes blocks for all of <paramref name="tokens"/>, published ones first. All or nothing.</summary>
    /// <param name="tokens">Known tokens of the holder.</param>
    /// <param name="maxHits">Leading blocks that may come from the cache; the holder never writes into those.</param>
    /// <param name="hits">Leading blocks that did.</param>
    public bool TryAllocate(ReadOnlySpan<int> tokens, int maxHits, out int hits)
    {
        var found = new List<int>();
        long content = 0;
        var freeHits = 0;
        for (var i = 0; pool.Caching && i < maxHits; i++)
        {
            if (!pool.TryFind(HashOf(tokens, i), content, BlockOf(tokens, i), out var id, out var next)) break;
            if (pool.IsFree(id)) freeHits++;
            found.Add(id);
            content = next;
        }

        hits = found.Count;
        var fresh = pool.BlocksFor(tokens.Length) - hits;
        if (fresh + freeHits > pool.Free) return false;
        foreach (var id in found) pool.Share(id);          // before taking: a hit must not be evicted by its own request
        _blocks.AddRange(found);
        for (; fresh > 0; fresh--) _blocks.Add(pool.Take());
        (_published, _content) = (hits, content);
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

    /// <summary>Publishes the blocks that <paramref name="computed"/> tokens fill completely; call after the step that wrote them.</summary>
    public void Publish(ReadOnlySpan<int> tokens, int computed)
    {
        if (!pool.Caching) return;
        for (; (_published + 1) * pool.BlockSize <= computed; _published++)
            _content = pool.Publish(_blocks[_published], HashOf(tokens, _published), _content, BlockOf(tokens, _published));
    }

    /// <summary>Gives back all but the leading <paramref name="count"/> blocks.</summary>
    public void Truncate(int count)
    {
        for (var i = _blocks.Count - 1; i >= count; i--) pool.Release(_blocks[i]);
        CollectionsMarshal.SetCount(_blocks, Math.Min(count, _blocks.Count));
    }

    public void Release()
    {
        Truncate(0);
        (_published, _content) = (0, 0);
    }

    /// <summary>Takes the table's blocks out of the prefix index: what they hold is not to be trusted.</summary>
    public void Forget()
    {
        foreach (var id in _blocks) pool.Unpublish(id);
    }

    private ulong HashOf(ReadOnlySpan<int> tokens, int block)
    {
        for (var i = _hashes.Count; i <= block; i++) _hashes.Add(BlockHash.Next(i > 0 ? _hashes[i - 1] : null, BlockOf(tokens, i)));
        return _hashes[block];
    }

    private ReadOnlySpan<int> BlockOf(ReadOnlySpan<int> tokens, int block) => tokens.Slice(block * pool.BlockSize, pool.BlockSize);
}
