using Microsoft.Extensions.Hosting;

namespace NanoAspire.Dashboard.Server;

/// <summary>The dashboard lives as long as its owner says; it listens to no signal and prints no banner.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
