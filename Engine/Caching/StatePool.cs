namespace NanoAspire.Engine.Caching;

/// <summary>
/// The recurrent states of an engine: a slot for each sequence, and in the slots that nobody needs the states at the ends of some published
/// blocks, least recently used first to go. A state that is kept is never written again: its sequence goes on into another slot. Owner
/// thread only; knows numbers, never memory.
/// </summary>
internal sealed class StatePool
{
    private readonly Slot[] _slots;
    private readonly LinkedList<int> _free = [];           // without content first, then by age
    private readonly Dictionary<long, int> _kept = [];

    /// <param name="slots">At least one.</param>
    /// <param name="firstBlock">Where slot 0 begins in the memory.</param>
    /// <param name="blocksPerSlot">Consecutive blocks.</param>
    public StatePool(int slots, int firstBlock, int blocksPerSlot)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(blocksPerSlot, 1);
        (FirstBlock, BlocksPerSlot) = (firstBlock, blocksPerSlot);
        _slots = new Slot[slots];
        for (var slot = 0; slot < slots; slot++) _slots[slot].Node = _free.AddLast(slot);
    }

    public int FirstBlock { get; }
    public int BlocksPerSlot { get; }
    public int Total => _slots.Length;
    /// <summary>Slots that can be taken now, with or without a kept state.</summary>
    public int Free => _free.Count;

    /// <summary>The blocks of a slot, as a hand-off names them.</summary>
    public IEnumerable<int> BlocksOf(int slot) => Enumerable.Range(FirstBlock + slot * BlocksPerSlot, BlocksPerSlot);

    public bool IsFree(int slot) => _slots[slot].References == 0;

    /// <summary>A slot with one reference and nothing in it. The caller has checked <see cref="Free"/>.</summary>
    public int Take()
    {
        if (_free.First is not { Value: var slot } node) throw new InvalidOperationException("No free state slot.");
        Forget(slot);
        _free.Remove(node);
        _slots[slot].References = 1;
        return slot;
    }

    public void Share(int slot)
    {
        if (_slots[slot].References++ == 0) _free.Remove(_slots[slot].Node);
    }

    public void Release(int slot)
    {
        ref var state = ref _slots[slot];
        if (state.References <= 0) throw new InvalidOperationException($"State slot {slot} is released more often than it was taken.");
        if (--state.References > 0) return;
        if (state.Content != 0) _free.AddLast(state.Node);
        else _free.AddFirst(state.Node);
    }

    /// <summary>The state after a published content.</summary>
    public bool TryFind(long content, out int slot) => _kept.TryGetValue(content, out slot);

    /// <summary>Keeps what a slot holds as the state after <paramref name="content"/>; from now on it must not be written. The caller holds a reference.</summary>
    public void Keep(int slot, long content)
    {
        if (!_kept.TryAdd(content, slot)) throw new InvalidOperationException("The content has a state already.");
        Forget(slot);
        _slots[slot].Content = content;
    }

    /// <summary>Drops the state after a content, if it is kept; who reads it still may.</summary>
    public void Drop(long content)
    {
        if (!_kept.TryGetValue(content, out var slot)) return;
        Forget(slot);
        if (_slots[slot].References > 0) return;
        _free.Remove(_slots[slot].Node);
        _free.AddFirst(_slots[slot].Node);
    }

    /// <summary>Checks every count; slow, for tests and debugging.</summary>
    /// <param name="holds">The slots of every holder, one entry a reference.</param>
    /// <exception cref="InvalidOperationException">An invariant is broken; the message says which.</exception>
    public void Validate(IEnumerable<int> holds)
    {
        var references = new int[_slots.Length];
        foreach (var slot in holds) references[slot]++;
        for (var slot = 0; slot < _slots.Length; slot++)
        {
            if (_slots[slot].References != references[slot]) throw new InvalidOperationException($"State slot {slot} counts {_slots[slot].References} references, holders have {references[slot]}.");
            if (references[slot] == 0 != (_slots[slot].Node.List is not null)) throw new InvalidOperationException($"State slot {slot} is both held and free, or neither.");
            if (_slots[slot].Content is not 0 and var content && (!_kept.TryGetValue(content, out var found) || found != slot)) throw new InvalidOperationException($"State slot {slot} is kept and not found.");
        }
        if (_slots.Count(slot => slot.Content != 0) != _kept.Count) throw new InvalidOperationException("States are kept in slots without content.");
    }

    private void Forget(int slot)
    {
        if (_slots[slot].Content == 0) return;
        _kept.Remove(_slots[slot].Content);
        _slots[slot].Content = 0;
    }

    private struct Slot
    {
        public int References;
        /// <summary>As <see cref="BlockPool.Publish"/> named it; 0: none.</summary>
        public long Content;
        public LinkedListNode<int> Node;
    }
}
