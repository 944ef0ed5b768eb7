namespace NanoAspire.Hosting.Testing;

/// <summary>An application that a test started: disposal stops it first, and waits until its processes are gone.</summary>
internal sealed class TestedApplication(DistributedApplication inner, EntryPointRunner? runner) : DistributedApplication(inner)
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    private bool _started;

    public override async Task RunAsync(CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        await Microsoft.Extensions.Hosting.HostingAbstractionsHostExtensions.WaitForShutdownAsync(this, cancellationToken).ConfigureAwait(false);
    }

    public override Task StartAsync(CancellationToken cancellationToken = default)
    {
        _started = true;
        return inner.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _started = false;
        await inner.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        StopOnceAsync().GetAwaiter().GetResult();
        base.Dispose();
    }

    public override async ValueTask DisposeAsync()
    {
        await StopOnceAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);         // the application that is wrapped
        if (runner is not null) await runner.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StopOnceAsync()
    {
        if (!_started) return;
        using var limit = new CancellationTokenSource(StopLimit);
        await StopAsync(limit.Token).ConfigureAwait(false);
    }
}
