using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Hosting.Run;

/// <summary>Logs every resource's lines in the host's own log, category <c>{application}.Resources.{resource}</c>: tests read them there.</summary>
internal sealed class ResourceLogForwarder(ResourceLoggerService logs, ILoggerFactory loggers, IHostEnvironment environment, DistributedApplicationModel model) : IHostedService
{
    private readonly ConcurrentDictionary<string, ILogger> _loggers = new(StringComparer.OrdinalIgnoreCase);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        logs.LineWritten += Forward;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        logs.LineWritten -= Forward;
        return Task.CompletedTask;
    }

    private void Forward(string nameOrId, LogLine line)
    {
        var logger = _loggers.GetOrAdd(nameOrId, id => loggers.CreateLogger($"{environment.ApplicationName}.Resources.{Owner(id)}"));
        if (line.IsErrorMessage) Log.ResourceErrorLine(logger, line.LineNumber, line.Content);
        else Log.ResourceLine(logger, line.LineNumber, line.Content);
    }

    private string Owner(string nameOrId) => model.Resources.FirstOrDefault(r => ResourceInstance.IdsOf(r).Contains(nameOrId))?.Name ?? nameOrId;
}
