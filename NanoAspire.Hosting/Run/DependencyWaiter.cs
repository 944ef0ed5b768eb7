using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.Hosting.Run;

/// <summary>Carries out the <see cref="WaitAnnotation"/>s of a resource.</summary>
internal sealed class DependencyWaiter(ResourceNotificationService notifications, ResourceLoggerService logs, WaitBehavior defaultBehavior)
{
    /// <param name="resource">The one that waits.</param>
    /// <param name="instances">The ids of its instances that are to be shown as waiting; others may run, or have been stopped.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="DistributedApplicationException">A dependency has failed in a way that waiting cannot mend.</exception>
    public async Task WaitAsync(IResource resource, IEnumerable<string> instances, CancellationToken ct)
    {
        if (!resource.TryGetAnnotationsOfType<WaitAnnotation>(out var waits)) return;
        var pending = waits.Where(w => w.Resource is not IResourceWithoutLifetime).Select(w => WaitForOneAsync(resource, w, ct)).ToArray();
        if (pending.Length == 0) return;
        foreach (var id in instances)
        {
            await notifications.PublishUpdateAsync(resource, id, s => IsUp(s) ? s : s with { State = KnownResourceStates.Waiting }).ConfigureAwait(false);
        }
        await Task.WhenAll(pending).ConfigureAwait(false);
    }

    public static bool HasFailed(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text is { } state && (KnownResourceStates.TerminalStates.Contains(state) || state == KnownResourceStates.RuntimeUnhealthy);

    /// <summary>A single replica may be started while its siblings run: they do not wait.</summary>
    private static bool IsUp(CustomResourceSnapshot snapshot) => snapshot.State?.Text is { } state &&
        (state == KnownResourceStates.Running || state == KnownResourceStates.Stopping || state == KnownResourceStates.Restarting);

    private async Task WaitForOneAsync(IResource resource, WaitAnnotation wait, CancellationToken ct)
    {
        var name = wait.Resource.Name;
        var goal = wait.WaitType switch
        {
            WaitType.WaitUntilHealthy => "become healthy",
            WaitType.WaitUntilStarted => "start",
            _ => "complete",
        };
        logs.Write(resource.Name, $"Waiting for resource '{name}' to {goal}.", isError: false);
        await Task.WhenAll(ResourceInstance.IdsOf(wait.Resource).Select(id => WaitForInstanceAsync(wait, id, ct))).ConfigureAwait(false);
        logs.Write(resource.Name, $"Finished waiting for resource '{name}'.", isError: false);
    }

    private async Task WaitForInstanceAsync(WaitAnnotation wait, string id, CancellationToken ct)
    {
        var name = wait.Resource.Name;
        var stopOnFailure = (wait.WaitBehavior ?? defaultBehavior) == WaitBehavior.StopOnResourceUnavailable;
        var reached = await notifications.WaitForResourceAsync(id, e => Decide(e.Snapshot, wait.WaitType, stopOnFailure), ct).ConfigureAwait(false);
        var snapshot = reached.Snapshot;
        if (snapshot.IsUnavailable) return;

        if (wait.WaitType == WaitType.WaitForCompletion)
        {
            if (snapshot.State?.Text == KnownResourceStates.FailedToStart)
            {
                throw new DistributedApplicationException($"Dependency resource '{name}' failed to start.");
            }
            if (snapshot.ExitCode is { } code && code != wait.ExitCode)
            {
                throw new DistributedApplicationException($"Resource '{name}' has entered the '{snapshot.State?.Text}' state with exit code '{code}', expected '{wait.ExitCode}'.");
            }
            return;
        }
        if (stopOnFailure && HasFailed(snapshot))
        {
            throw new DistributedApplicationException(snapshot.State?.Text == KnownResourceStates.FailedToStart
                ? $"Dependency resource '{name}' failed to start."
                : $"Resource '{name}' has entered the '{snapshot.State?.Text}' state prematurely.");
        }
        if (wait.WaitType == WaitType.WaitUntilHealthy && snapshot.Ready is { } ready) await ready.WaitAsync(ct).ConfigureAwait(false);
    }

    private static bool Decide(CustomResourceSnapshot snapshot, WaitType type, bool stopOnFailure)
    {
        if (snapshot.IsUnavailable) return true;
        if (type == WaitType.WaitForCompletion) return snapshot.State?.Text is { } state && KnownResourceStates.TerminalStates.Contains(state);
        if (stopOnFailure && HasFailed(snapshot)) return true;
        if (snapshot.State?.Text != KnownResourceStates.Running) return false;
        return type == WaitType.WaitUntilStarted || snapshot is { HealthStatus: HealthStatus.Healthy, Ready: not null };
    }
}
