using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Loading;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Loaded {Architecture}: {WeightMiB} MiB of weights, {Blocks} KV blocks of {BlockSize} tokens, in {Seconds:F1} s")]
    public static partial void ModelLoaded(this ILogger logger, string architecture, long weightMiB, int blocks, int blockSize, double seconds);

    [LoggerMessage(3, LogLevel.Information, "Loading weights: {Percent}% ({ReadMiB} of {TotalMiB} MiB)")]
    public static partial void LoadingWeights(this ILogger logger, int percent, long readMiB, long totalMiB);

    [LoggerMessage(2, LogLevel.Information, "Recurrent model: {Slots} state slots of {Bytes} bytes ({Blocks} blocks each); a prefix is hit as far as a state was kept")]
    public static partial void StateSlots(this ILogger logger, int slots, long bytes, int blocks);
}
