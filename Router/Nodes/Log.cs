using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Nodes;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Engine {Engine} joined as {Role} at {Url}")]
    public static partial void NodeJoined(ILogger logger, string engine, EngineRole role, string url);

    [LoggerMessage(2, LogLevel.Information, "Engine {Engine} at {Url} left, {InFlight} requests still running on it")]
    public static partial void NodeLeft(ILogger logger, string engine, string url, int inFlight);

    [LoggerMessage(3, LogLevel.Warning, "Engine {Engine} at {Url} does not answer its health probe: {Reason}")]
    public static partial void NodeDown(ILogger logger, string engine, string url, string reason);

    [LoggerMessage(4, LogLevel.Information, "Engine {Engine} at {Url} is healthy, serving {Models}")]
    public static partial void NodeUp(ILogger logger, string engine, string url, string models);

    [LoggerMessage(5, LogLevel.Information, "Node {Engine}: {Action} by {Client}")]
    public static partial void NodeManaged(ILogger logger, string engine, string action, string? client);
}
