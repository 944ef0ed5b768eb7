using NanoAspire.Engine.Scheduling;

namespace NanoAspire.Engine.Speculation;

/// <param name="Sequence">Its drafts are empty.</param>
/// <param name="Row">Index in the step of its first token.</param>
/// <param name="Start">Place of that token in the sequence.</param>
/// <param name="Count">Tokens of the step that are part of the sequence: drafts that were not accepted are not. The token after the last is known.</param>
internal readonly record struct DraftInput(Sequence Sequence, int Row, int Start, int Count);
