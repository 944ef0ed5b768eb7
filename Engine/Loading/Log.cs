using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Loading;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Loaded {Architecture}: {WeightMiB} MiB of weights, {Blocks} KV blocks of {BlockSize} tokens, in {Seconds:F1} s")]
    public static partial void ModelLoaded(this ILogger logger, string architecture, long weightMiB, int blocks, int blockSize, double seconds);
}
