namespace NanoAspire.Engine.Speculation;

/// <summary>
/// Guesses what may follow, for the next step to check. A guess costs time when it is wrong and never changes an output, so a drafter may
/// be as crude as it likes. Owner thread only.
/// </summary>
internal interface IDrafter
{
    /// <summary>Refills <see cref="Scheduling.Sequence.Drafts"/> of sequences that decode in the next step, after a step and before the next is planned.</summary>
    /// <param name="step">What the step has computed of the sequences that go on, in its order.</param>
    void Draft(IReadOnlyList<DraftInput> step);
}
