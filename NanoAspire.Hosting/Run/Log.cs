using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Run;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Aspire version: NanoAspire {Version}")]
    public static partial void Version(ILogger logger, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Distributed application starting.")]
    public static partial void Starting(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "Application host directory is: {Directory}")]
    public static partial void HostDirectory(ILogger logger, string directory);

    [LoggerMessage(Level = LogLevel.Information, Message = "Distributed application started. Press Ctrl+C to shut down.")]
    public static partial void Started(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "{LineNumber}: {Content}")]
    public static partial void ResourceLine(ILogger logger, int lineNumber, string content);

    [LoggerMessage(Level = LogLevel.Error, Message = "{LineNumber}: {Content}")]
    public static partial void ResourceErrorLine(ILogger logger, int lineNumber, string content);

    [LoggerMessage(Level = LogLevel.Information, Message = "Now listening on: {Url}")]
    public static partial void DashboardListens(ILogger logger, string url);

    [LoggerMessage(Level = LogLevel.Information, Message = "Login to the dashboard at {Url}")]
    public static partial void DashboardLogin(ILogger logger, string url);

    [LoggerMessage(Level = LogLevel.Error, Message = "Initialization failed")]
    public static partial void InitializeFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "A handler of the resource's end failed")]
    public static partial void StoppedHandlerFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Resource {Resource} changed state to {State}")]
    public static partial void StateChanged(ILogger logger, string resource, string state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Command '{Command}' failed: {Reason}")]
    public static partial void CommandFailed(ILogger logger, string command, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Command '{Command}' threw")]
    public static partial void CommandThrew(ILogger logger, string command, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Port {Port} is in use: the dashboard listens on {Url} instead")]
    public static partial void DashboardMoved(ILogger logger, int port, string url);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The dashboard cannot listen, the application runs without it: {Reason}")]
    public static partial void NoDashboard(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Interrupted again: killing what has not ended yet.")]
    public static partial void Hurry(ILogger logger);
}
