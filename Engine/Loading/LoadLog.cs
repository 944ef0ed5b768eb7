using Microsoft.Extensions.Logging;

namespace NanoAspire.Engine.Loading;

/// <summary>Progress for log files: a line every few seconds, none for a model that is there sooner.</summary>
internal sealed class LoadLog(ILogger logger, TimeProvider time) : IProgress<LoadProgress>
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private long _last = time.GetTimestamp();

    public void Report(LoadProgress value)
    {
        if (value.BytesRead >= value.TotalBytes || time.GetElapsedTime(_last) < Interval) return;
        _last = time.GetTimestamp();
        logger.LoadingWeights((int)(100 * value.Share), value.BytesRead >> 20, value.TotalBytes >> 20);
    }
}
