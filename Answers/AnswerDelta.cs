namespace NanoAspire.Answers;

/// <summary>What a piece of an answer is.</summary>
public enum AnswerDeltaKind
{
    /// <summary>Text for the user.</summary>
    Content,
    /// <summary>What the model thought before it answered.</summary>
    Reasoning,
    /// <summary>A tool call begins: <see cref="AnswerDelta.Id"/> and <see cref="AnswerDelta.Name"/> are known.</summary>
    Call,
    /// <summary>More of a call's arguments; all of them together are one JSON object.</summary>
    Arguments,
}

/// <summary>One piece of an answer, in the order in which the model wrote it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Content, reasoning or arguments; empty for <see cref="AnswerDeltaKind.Call"/>.</param>
/// <param name="CallIndex">Place among the answer's calls, from 0; -1 for text.</param>
/// <param name="Id">The call's id.</param>
/// <param name="Name">The function that is called.</param>
public readonly record struct AnswerDelta(AnswerDeltaKind Kind, string Text, int CallIndex = -1, string? Id = null, string? Name = null);
