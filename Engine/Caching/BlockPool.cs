namespace NanoAspire.Engine.Caching;

/// <summary>
/// The KV blocks of one engine: reference counts, the free list and the prefix index. Owner thread only; knows ids, never memory.
/// <para>Block 0 is never handed out: padding rows of fixed-shape kernels may write there without touching a sequence.</para>
/// <para>A free block keeps its published content until it is taken, so the free list is also the cache, in LRU order:
/// taken from the front, returned to the back (blocks without content to the front, they are worth nothing).</para>
/// </summary>
internal sealed class BlockPool
{
    private const int None = -1;

    private readonly Block[] _blocks;
    private readonly int[] _tokens;
    private readonly Dictionary<ulong, int> _published = [];
    private int _front = None;
    private int _back = None;
    private long _contents;

    /// <param name="blockCount">Blocks of the memory behind the pool, block 0 included.</param>
    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="caching">False: nothing is published, nothing hits.</param>
    /// <param name="states">Slots of the sequences' recurrent states; null in models without.</param>
    public BlockPool(int blockCount, int blockSize, bool caching, StatePool? states = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockCount, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        _blocks = new Block[blockCount];
        _tokens = caching ? new int[(long)blockCount * blockSize] : [];
        BlockSize = blockSize;
        Caching = caching;
        States = states;
        Total = blockCount - 1;
        for (var id = 1; id < blockCount; id++) PushBack(id);
    }

    public int BlockSize { get; }
    public bool Caching { get; }
    public StatePool? States { get; }
    /// <summary>Blocks that sequences can have.</summary>
    public int Total { get; }
    /// <summary>Blocks that can be taken now, with or without content.</summary>
    public int Free { get; private set; }
    /// <summary>Free blocks whose content can still be hit.</summary>
    public int Cached { get; private set; }
    /// <summary>Blocks of at least one parked table.</summary>
    public int Parked { get; private set; }

    public int BlocksFor(int tokens) => (tokens + BlockSize - 1) / BlockSize;

    public bool IsFree(int id) => _blocks[id].References == 0;

    /// <summary>A block with one reference and no content. The caller has checked <see cref="Free"/>.</summary>
    public int Take()
    {
        var id = _front;
        if (id == None) throw new InvalidOperationException("No free block.");
        Unpublish(id);
        Unlink(id);
        (_blocks[id].References, _blocks[id].Drafted) = (1, false);
        return id;
    }

    /// <summary>One more reference to a block that was found by <see cref="TryFind"/>.</summary>
    public void Share(int id)
    {
        ref var block = ref _blocks[id];
        if (block.References++ > 0) return;
        Unlink(id);
        if (block.Content != 0) Cached--;
    }

    /// <summary>Gives one reference back. Tables release from the tail, so that a prompt's tail is taken again before its head.</summary>
    public void Release(int id)
    {
        ref var block = ref _blocks[id];
        if (block.References <= 0) throw new InvalidOperationException($"Block {id} is released more often than it was taken.");
        if (--block.References > 0) return;
        if (block.Content != 0)
        {
            Cached++;
            PushBack(id);
        }
        else
        {
            PushFront(id);
        }
    }

    /// <summary>The block with this content, if one is published.</summary>
    /// <param name="hash">The chain's hash up to this block.</param>
    /// <param name="parent">Content before it: XXH64 is not collision-resistant, so the hash alone proves nothing.</param>
    /// <param name="tokens">The block's tokens, compared with the stored ones.</param>
    /// <param name="images">What tells the block's images from others (<see cref="ImageKeys"/>), compared likewise.</param>
    /// <param name="id">The block.</param>
    /// <param name="content">Identity of the content, the <paramref name="parent"/> of the next block.</param>
    public bool TryFind(ulong hash, long parent, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> images, out int id, out long content)
    {
        if (_published.TryGetValue(hash, out id) && _blocks[id].Parent == parent && TokensOf(id).SequenceEqual(tokens) && images.SequenceEqual(_blocks[id].Images))
        {
            content = _blocks[id].Content;
            return true;
        }
        (id, content) = (None, 0);
        return false;
    }

    /// <summary>Makes a completely written block findable; the caller holds a reference.</summary>
    /// <returns>Identity of the content: that of the block which already has it, if there is one.</returns>
    public long Publish(int id, ulong hash, long parent, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> images)
    {
        if (TryFind(hash, parent, tokens, images, out _, out var content)) return content;
        if (_published.TryGetValue(hash, out var other)) Unpublish(other);   // a collision, or its parent is gone and nothing can reach it
        Unpublish(id);
        tokens.CopyTo(TokensOf(id));
        ref var block = ref _blocks[id];
        (block.Hash, block.Parent, block.Images, block.Content) = (hash, parent, images.IsEmpty ? null : images.ToArray(), ++_contents);
        _published.Add(hash, id);
        return block.Content;
    }

    /// <summary>Takes a block out of the index; whoever holds it keeps it.</summary>
    public void Unpublish(int id)
    {
        ref var block = ref _blocks[id];
        if (block.Content == 0) return;
        _published.Remove(block.Hash);
        block.Content = 0;
        if (block.References == 0) Cached--;
    }

    /// <summary>A draft module has written its keys for every token of the block.</summary>
    public void MarkDrafted(int id) => _blocks[id].Drafted = true;

    public bool IsDrafted(int id) => _blocks[id].Drafted;

    public void Park(int id)
    {
        if (_blocks[id].Parks++ == 0) Parked++;
    }

    public void Unpark(int id)
    {
        if (--_blocks[id].Parks == 0) Parked--;
    }

    /// <summary>Checks every count against every table; slow, for tests and debugging.</summary>
    /// <exception cref="InvalidOperationException">An invariant is broken; the message says which.</exception>
    public void Validate(IEnumerable<IReadOnlyList<int>> tables)
    {
        var references = new int[_blocks.Length];
        foreach (var table in tables)
        {
            if (table.Distinct().Count() != table.Count) throw new InvalidOperationException("A table names a block twice.");
            foreach (var id in table) references[id]++;
        }
        for (var id = 0; id < _blocks.Length; id++)
        {
            if (_blocks[id].References != references[id])
                throw new InvalidOperationException($"Block {id} counts {_blocks[id].References} references, tables hold {references[id]}.");
            if (_blocks[id].Content != 0 && (!_published.TryGetValue(_blocks[id].Hash, out var found) || found != id))
                throw new InvalidOperationException($"Block {id} has content that the index does not find.");
        }
        if (references[0] != 0 || _blocks[0].Content != 0) throw new InvalidOperationException("Block 0 is in use.");
        if (_blocks.Count(block => block.Content != 0) != _published.Count) throw new InvalidOperationException("The index names blocks without content.");

        var (free, cached, previous) = (0, 0, None);
        for (var id = _front; id != None; (previous, id) = (id, _blocks[id].Next))
        {
            if (id == 0 || references[id] != 0 || _blocks[id].Previous != previous || ++free > Total)
                throw new InvalidOperationException($"The free list is broken at block {id}.");
            if (_blocks[id].Content != 0) cached++;
        }
        if (previous != _back || free != Free || cached != Cached || free + references.Count(count => count > 0) != Total)
            throw new InvalidOperationException($"Free {Free} (list {free}), cached {Cached} (list {cached}), of {Total}.");
    }

    private Span<int> TokensOf(int id) => _tokens.AsSpan(id * BlockSize, BlockSize);

    private void PushBack(int id) => Link(id, _back, None);

    private void PushFront(int id) => Link(id, None, _front);

    private void Link(int id, int previous, int next)
    {
        (_blocks[id].Previous, _blocks[id].Next) = (previous, next);
        if (previous == None) _front = id; else _blocks[previous].Next = id;
        if (next == None) _back = id; else _blocks[next].Previous = id;
        Free++;
    }

    private void Unlink(int id)
    {
        var (previous, next) = (_blocks[id].Previous, _blocks[id].Next);
        if (previous == None) _front = next; else _blocks[previous].Next = next;
        if (next == None) _back = previous; else _blocks[next].Previous = previous;
        Free--;
    }

    private struct Block
    {
        public int References;
        public int Parks;
        public bool Drafted;
        public int Previous;
        public int Next;
        public ulong Hash;
        /// <summary>Content that this one continues; 0 at the start of a sequence.</summary>
        public long Parent;
        /// <summary>Null for text.</summary>
        public byte[]? Images;
        /// <summary>Never used twice; 0: not published.</summary>
        public long Content;
    }
}
