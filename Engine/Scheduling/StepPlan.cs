namespace NanoAspire.Engine.Scheduling;

/// <summary>What one step computes; reused from step to step.</summary>
internal sealed class StepPlan
{
    /// <summary>Sequences, how many of their tokens, and how many of their drafts after these; decodes first.</summary>
    public List<(Sequence Sequence, int Tokens, int Drafts)> Parts { get; } = [];
    /// <summary>Reservations that got their blocks.</summary>
    public List<Reservation> Granted { get; } = [];
    /// <summary>Sequences that run for the first time.</summary>
    public List<Sequence> Admitted { get; } = [];
    public int Tokens { get; private set; }
    public int Preempted { get; set; }
    public string Kind => Parts.TrueForAll(part => part.Tokens == 1) ? "decode" : Parts.Exists(part => part.Tokens == 1) ? "mixed" : "prefill";

    public void Clear()
    {
        Parts.Clear();
        Granted.Clear();
        Admitted.Clear();
        (Tokens, Preempted) = (0, 0);
    }

    public void Add(Sequence sequence, int tokens, int drafts = 0)
    {
        Parts.Add((sequence, tokens, drafts));
        Tokens += tokens + drafts;
    }
}
