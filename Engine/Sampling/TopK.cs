namespace NanoAspire.Engine.Sampling;

/// <summary>The k best tokens of a row, the lower id first among equals: one pass with a heap of the k best so far.</summary>
internal static class TopK
{
    /// <param name="scores">[vocab].</param>
    /// <param name="best">Receives the ids, ascending; its length is k, at most vocab.</param>
    public static void Select(ReadOnlySpan<float> scores, Span<int> best)
    {
        for (var id = 0; id < best.Length; id++) best[id] = id;
        for (var root = best.Length / 2 - 1; root >= 0; root--) SiftDown(best, root, scores);
        for (var id = best.Length; id < scores.Length; id++)
        {
            if (scores[id] <= scores[best[0]]) continue;   // the worst of the best; an equal one has the lower id
            best[0] = id;
            SiftDown(best, 0, scores);
        }
        best.Sort();
    }

    private static void SiftDown(Span<int> heap, int root, ReadOnlySpan<float> scores)
    {
        while (2 * root + 1 < heap.Length)
        {
            var child = 2 * root + 1;
            if (child + 1 < heap.Length && IsWorse(heap[child + 1], heap[child], scores)) child++;
            if (!IsWorse(heap[child], heap[root], scores)) return;
            (heap[child], heap[root]) = (heap[root], heap[child]);
            root = child;
        }
    }

    private static bool IsWorse(int a, int b, ReadOnlySpan<float> scores) => scores[a] < scores[b] || (scores[a] == scores[b] && a > b);
}
