using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Engine loop started: {Blocks} KV blocks of {BlockSize} tokens, at most {MaxSequences} sequences and {MaxTokens} tokens a step, {MaxLength} tokens a sequence")]
    public static partial void LoopStarted(this ILogger logger, int blocks, int blockSize, int maxSequences, int maxTokens, int maxLength);

    [LoggerMessage(2, LogLevel.Error, "The model runner failed; the {Sequences} sequences of the step end with an error ({Failures} failures in a row)")]
    public static partial void StepFailed(this ILogger logger, int sequences, int failures, Exception exception);

    [LoggerMessage(3, LogLevel.Critical, "The model runner failed {Failures} times in a row: the engine takes no more work")]
    public static partial void Unhealthy(this ILogger logger, int failures);

    [LoggerMessage(4, LogLevel.Critical, "The engine loop broke and has ended")]
    public static partial void LoopBroke(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "Sequence {Id}: logits allow no choice (NaN, infinity, or every token ruled out)")]
    public static partial void NoChoice(this ILogger logger, long id);

    [LoggerMessage(6, LogLevel.Information, "Engine drains: {Live} requests to finish")]
    public static partial void Draining(this ILogger logger, int live);
}
