using Microsoft.Extensions.Logging;

namespace NanoAspire.ServiceDefaults.Metrics;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "An observable instrument failed; its values are missing from this scrape")]
    public static partial void ObservationFailed(this ILogger logger, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Metric {Metric} already exists with another kind or other buckets; {Meter}/{Instrument} is not collected")]
    public static partial void MetricNameTaken(this ILogger logger, string metric, string meter, string instrument);
}
