namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>
/// The symbols of one piece while they are merged: a linked list in arrays and a heap of candidate merges, O(n log n) for a piece of n
/// characters. Reused from piece to piece; one a thread.
/// </summary>
internal sealed class BpeWord
{
    private readonly PriorityQueue<Candidate, long> _queue = new();
    private int[] _ids = new int[32];
    private int[] _next = new int[32];
    private int[] _previous = new int[32];
    private int _count;

    /// <summary>A merge seen at <paramref name="At"/>; stale once the pair that stands there is another.</summary>
    private readonly record struct Candidate(int At, long Pair);

    public void Clear() => _count = 0;

    public void Add(int id)
    {
        if (_count == _ids.Length)
        {
            Array.Resize(ref _ids, _count * 2);
            Array.Resize(ref _next, _count * 2);
            Array.Resize(ref _previous, _count * 2);
        }
        _ids[_count++] = id;
    }

    public void MergeAll(Dictionary<long, BpeModel.Merge> merges)
    {
        for (var i = 0; i < _count; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1 < _count ? i + 1 : -1;
        }
        for (var i = 0; i < _count - 1; i++) Consider(i, merges);

        while (_queue.TryDequeue(out var candidate, out _))
        {
            var left = candidate.At;
            if (_ids[left] < 0 || _next[left] is not (>= 0 and var right)) continue;
            if (BpeModel.Pair(_ids[left], _ids[right]) != candidate.Pair) continue;

            _ids[left] = merges[candidate.Pair].Token;
            _ids[right] = -1;                                           // dead: its slot is skipped from now on
            _next[left] = _next[right];
            if (_next[left] >= 0) _previous[_next[left]] = left;
            if (_previous[left] >= 0) Consider(_previous[left], merges);
            Consider(left, merges);
        }
    }

    public void CopyTo(List<int> ids)
    {
        for (var i = _count > 0 ? 0 : -1; i >= 0; i = _next[i]) ids.Add(_ids[i]);
    }

    private void Consider(int left, Dictionary<long, BpeModel.Merge> merges)
    {
        if (_next[left] is not (>= 0 and var right)) return;
        var pair = BpeModel.Pair(_ids[left], _ids[right]);
        if (merges.TryGetValue(pair, out var merge)) _queue.Enqueue(new(left, pair), (long)merge.Rank << 32 | (uint)left);
    }
}
