using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Run;

/// <summary>What a host does in publish mode: no publisher is built in yet, and it says so instead of waiting for ever.</summary>
internal sealed class PublishRunner(DistributedApplicationExecutionContext execution, IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Console.Error.WriteLine($"publisher '{execution.PublisherName}' is not available in this version");
        Environment.ExitCode = 1;
        lifetime.StopApplication();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
