using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Run;

/// <summary>Turns log calls about a resource into lines of its console.</summary>
internal sealed class ResourceLogger(Action<string, bool> write) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None and >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var text = formatter(state, exception);
        if (exception is not null) text = $"{text}{Environment.NewLine}{exception}";
        foreach (var line in text.Split('\n')) write(line.TrimEnd('\r'), logLevel >= LogLevel.Error);
    }
}
