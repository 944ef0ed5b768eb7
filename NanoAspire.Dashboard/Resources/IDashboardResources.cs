namespace NanoAspire.Dashboard.Resources;

/// <summary>What the application host tells the dashboard about its resources. Implementations are thread-safe.</summary>
public interface IDashboardResources
{
    /// <summary>Every visible resource as it is now, in the order they should be listed; a replica is a resource of its own.</summary>
    IReadOnlyList<DashboardResource> Snapshot();

    /// <summary>Yields the name of a resource whenever something about it changed, until cancelled. What changed is read from <see cref="Snapshot"/>.</summary>
    IAsyncEnumerable<string> WatchAsync(CancellationToken cancellationToken);

    /// <summary>The console lines of one resource: what is remembered, then new ones as they come, until cancelled. Empty for an unknown name.</summary>
    IAsyncEnumerable<ConsoleLine> WatchConsoleAsync(string resource, CancellationToken cancellationToken);

    /// <summary>Runs a command of a resource. An unknown or disabled one is a failure, not an exception.</summary>
    Task<CommandOutcome> ExecuteAsync(string resource, string command, CancellationToken cancellationToken);
}
