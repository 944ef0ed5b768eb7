namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Which experts the tokens of a step go to, and the same pairs (token, rank) as rows in order of their expert, so that an expert's rows lie
/// together. Memory of a workspace frame.
/// </summary>
internal readonly unsafe struct ExpertRoutes
{
    /// <summary>Rows of a group at most: they pass over a few panels while those are in the cache.</summary>
    public const int RowsPerGroup = 256;

    public ExpertRoutes(Workspace.Frame frame, int tokens, int perToken, int experts)
    {
        (Tokens, PerToken, Experts) = (tokens, perToken, experts);
        var pairs = tokens * perToken;
        Chosen = frame.Ints(pairs);
        Weights = (float*)frame.Ints(pairs);
        TokenOf = frame.Ints(pairs);
        RowOf = frame.Ints(pairs);
        Starts = frame.Ints(experts + 1);
        Groups = frame.Ints(2 * pairs + 1);
    }

    public int Tokens { get; }
    public int PerToken { get; }
    public int Experts { get; }
    public int Rows => Tokens * PerToken;

    /// <summary>[tokens, perToken], best first.</summary>
    public int* Chosen { get; }
    /// <summary>[tokens, perToken]</summary>
    public float* Weights { get; }
    /// <summary>[rows] the token a row belongs to; within an expert tokens ascend.</summary>
    public int* TokenOf { get; }
    /// <summary>[tokens, perToken] where a pair went.</summary>
    public int* RowOf { get; }
    /// <summary>[experts + 1] first row of each expert.</summary>
    public int* Starts { get; }
    /// <summary>How many groups, then expert and first row of each: at most <see cref="RowsPerGroup"/> rows of one expert.</summary>
    public int* Groups { get; }
    public int GroupCount => Groups[0];

    public (int Expert, int First, int End) Group(int index)
    {
        var (expert, first) = (Groups[1 + 2 * index], Groups[2 + 2 * index]);
        return (expert, first, Math.Min(first + RowsPerGroup, Starts[expert + 1]));
    }

    /// <summary>Orders the pairs by expert once they are chosen: a stable counting sort.</summary>
    public void Sort()
    {
        var starts = new Span<int>(Starts, Experts + 1);
        starts.Clear();
        for (var pair = 0; pair < Rows; pair++) starts[Chosen[pair] + 1]++;
        var groups = 0;
        for (var expert = 0; expert < Experts; expert++)
        {
            starts[expert + 1] += starts[expert];
            for (var row = starts[expert]; row < starts[expert + 1]; row += RowsPerGroup, groups++) (Groups[1 + 2 * groups], Groups[2 + 2 * groups]) = (expert, row);
        }
        Groups[0] = groups;
        for (var pair = 0; pair < Rows; pair++)
        {
            var row = starts[Chosen[pair]]++;                                // each start ends where the next expert begins …
            (RowOf[pair], TokenOf[row]) = (row, pair / PerToken);
        }
        for (var expert = Experts; expert > 0; expert--) starts[expert] = starts[expert - 1];
        starts[0] = 0;                                                       // … and is moved back
    }
}

/// <summary>Experts fixed by the token's id, [vocabulary, perToken]. The weights' owner keeps the memory.</summary>
internal readonly unsafe struct ExpertTable(int* experts, int perToken)
{
    public int* Of(int token) => experts + (long)token * perToken;
    public bool IsEmpty => experts is null;
}
