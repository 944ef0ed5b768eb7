using Microsoft.Extensions.Logging;

namespace NanoAspire.Dashboard.Server;

/// <summary>The web server's warnings go where the application host logs.</summary>
internal sealed class ForwardingLoggerProvider(ILoggerFactory target) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => target.CreateLogger(categoryName);

    /// <summary>The factory belongs to the application host.</summary>
    public void Dispose() { }
}
