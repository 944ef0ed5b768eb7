using NanoAspire.Hosting.Run;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Executes commands of resources.</summary>
public class ResourceCommandService
{
    private readonly ResourceNotificationService _notifications;
    private readonly ResourceLoggerService _logs;
    private readonly IServiceProvider _services;

    internal ResourceCommandService(ResourceNotificationService notifications, ResourceLoggerService logs, IServiceProvider services)
    {
        _notifications = notifications;
        _logs = logs;
        _services = services;
    }

    /// <summary>Executes the command on one instance, or on every instance where a resource name is given.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        if (_notifications.TryGetCurrentState(resourceId, out var current))
        {
            return string.Equals(current.Resource.Name, resourceId, StringComparison.OrdinalIgnoreCase)
                ? await ExecuteCommandAsync(current.Resource, commandName, cancellationToken).ConfigureAwait(false)
                : await ExecuteOnAsync(current.Resource, current.ResourceId, commandName, cancellationToken).ConfigureAwait(false);
        }
        var model = (DistributedApplicationModel?)_services.GetService(typeof(DistributedApplicationModel));
        var resource = model?.Resources.FirstOrDefault(r => string.Equals(r.Name, resourceId, StringComparison.OrdinalIgnoreCase));
        return resource is null
            ? CommandResults.Failure($"Resource '{resourceId}' not found.")
            : await ExecuteCommandAsync(resource, commandName, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Executes the command on every instance, all at once.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(IResource resource, string commandName, CancellationToken cancellationToken = default)
    {
        if (Find(resource, commandName) is { IsForWholeResource: true }) return await ExecuteOnAsync(resource, resource.Name, commandName, cancellationToken).ConfigureAwait(false);
        var ids = ResourceInstance.IdsOf(resource).ToArray();
        var results = await Task.WhenAll(ids.Select(id => ExecuteOnAsync(resource, id, commandName, cancellationToken))).ConfigureAwait(false);
        if (results.All(r => r.Success)) return CommandResults.Success();
        var failures = results.Where(r => !r.Success && !r.Canceled).Select(r => r.ErrorMessage).Where(m => m is not null).Distinct().ToArray();
        return failures.Length == 0 && results.Any(r => r.Canceled) ? CommandResults.Canceled() : CommandResults.Failure(string.Join("; ", failures));
    }

    private async Task<ExecuteCommandResult> ExecuteOnAsync(IResource resource, string id, string commandName, CancellationToken ct)
    {
        if (Find(resource, commandName) is not { } command) return CommandResults.Failure($"Command '{commandName}' not available for resource '{resource.Name}'.");
        try
        {
            var result = await command.ExecuteCommand(new ExecuteCommandContext { ServiceProvider = _services, ResourceName = id, CancellationToken = ct }).ConfigureAwait(false);
            if (result is { Success: false, Canceled: false }) Log.CommandFailed(_logs.GetLogger(id), commandName, result.ErrorMessage ?? "");
            return result;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return CommandResults.Canceled();
        }
#pragma warning disable CA1031 // commands are other people's code; the caller gets the failure as a value
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.CommandThrew(_logs.GetLogger(id), commandName, e);
            return CommandResults.Failure("Unhandled exception thrown while executing command.");
        }
    }

    private static ResourceCommandAnnotation? Find(IResource resource, string commandName)
    {
        var name = KnownResourceCommands.Canonical(commandName);
        return resource.Annotations.OfType<ResourceCommandAnnotation>().FirstOrDefault(c => c.Name == name || c.Name == commandName);
    }
}
