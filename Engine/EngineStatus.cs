namespace NanoAspire.Engine;

/// <summary>Figures of the loop at one moment; counters only grow.</summary>
public sealed record EngineStatus
{
    public int Running { get; init; }
    /// <summary>Sequences and reservations in line, preempted ones included.</summary>
    public int Waiting { get; init; }
    /// <summary>Blocks that sequences can have: those of the memory without block 0.</summary>
    public int BlocksTotal { get; init; }
    /// <summary>Blocks held by sequences, reservations and parked prompts.</summary>
    public int BlocksUsed { get; init; }
    /// <summary>Blocks that can be taken, cached ones included.</summary>
    public int BlocksFree { get; init; }
    /// <summary>Free blocks whose content can still be hit.</summary>
    public int BlocksCached { get; init; }
    /// <summary>Used blocks that a parked prompt holds.</summary>
    public int BlocksParked { get; init; }
    public int ParkedSequences { get; init; }
    /// <summary>Slots for recurrent states; 0 in models without.</summary>
    public int StateSlotsTotal { get; init; }
    /// <summary>Slots held by sequences, reservations and parked prompts; the others may keep states that can be hit.</summary>
    public int StateSlotsUsed { get; init; }
    public long Preemptions { get; init; }
    /// <summary>Prompt tokens of admitted sequences, cached ones included.</summary>
    public long PromptTokens { get; init; }
    /// <summary>Tokens sampled here.</summary>
    public long GeneratedTokens { get; init; }
    public long PrefixHitTokens { get; init; }
    /// <summary>Guesses that steps have checked.</summary>
    public long DraftedTokens { get; init; }
    /// <summary>Those of them that became output.</summary>
    public long AcceptedTokens { get; init; }
    /// <summary>Steps that succeeded.</summary>
    public long Steps { get; init; }
    /// <summary>Time of the last finished step.</summary>
    public DateTimeOffset? LastStep { get; init; }
    /// <summary>False for good after three failed steps in a row: the process should be replaced.</summary>
    public bool Healthy { get; init; } = true;
    public bool Draining { get; init; }
}
