using Microsoft.Extensions.Logging;

namespace NanoAspire.Ctrl.Client;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Registered {EngineId} at {Url}")]
    public static partial void Registered(this ILogger logger, string engineId, string url);

    [LoggerMessage(2, LogLevel.Warning, "The control plane does not know {EngineId} any more: registering again")]
    public static partial void Forgotten(this ILogger logger, string engineId);

    [LoggerMessage(3, LogLevel.Warning, "Cannot register {EngineId}: {Reason}; trying on")]
    public static partial void RegistrationFailed(this ILogger logger, string engineId, string reason);

    [LoggerMessage(4, LogLevel.Information, "Unregistered {EngineId}")]
    public static partial void Unregistered(this ILogger logger, string engineId);

    [LoggerMessage(5, LogLevel.Warning, "Cannot unregister {EngineId}: {Reason}; its lease will lapse")]
    public static partial void UnregisterFailed(this ILogger logger, string engineId, string reason);

    [LoggerMessage(6, LogLevel.Warning, "Cannot read engines: {Reason}; keeping the {Count} known")]
    public static partial void DirectoryFailed(this ILogger logger, string reason, int count);

    [LoggerMessage(7, LogLevel.Information, "Engines can be read again: {Count} known")]
    public static partial void DirectoryRestored(this ILogger logger, int count);

    [LoggerMessage(8, LogLevel.Information, "Engines changed: {Count} known")]
    public static partial void DirectoryChanged(this ILogger logger, int count);

    [LoggerMessage(9, LogLevel.Debug, "Entity {EntityId} names no address and is skipped")]
    public static partial void EntitySkipped(this ILogger logger, string entityId);
}
