using NanoAspire.Answers;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>What one choice gained by one token (or by its end).</summary>
/// <param name="Choice">Index in the answer.</param>
/// <param name="Text">New text that is safe to show; may be empty while a character or a stop string is incomplete.</param>
/// <param name="Token">Null when the event brings no token.</param>
/// <param name="FinishReason">OpenAI's word (<c>stop</c>, <c>length</c>, <c>tool_calls</c>), on the choice's last event.</param>
/// <param name="Error">Set when the choice failed; nothing follows.</param>
/// <param name="CachedTokens">Prompt tokens that came from the prefix cache, on the choice's first event.</param>
/// <param name="Parts">The text told apart into reasoning, content and calls; null where answers are not parsed.</param>
/// <param name="ReasoningTokens">Tokens of reasoning up to here.</param>
internal readonly record struct ChoiceDelta(
    int Choice, string Text, SampledToken? Token, string? FinishReason = null, string? Error = null, int CachedTokens = 0,
    IReadOnlyList<AnswerDelta>? Parts = null, int ReasoningTokens = 0);
