using Microsoft.Extensions.DependencyInjection;

namespace NanoAspire.AppHost;

/// <summary>What an operator can do to an engine beyond start, stop and restart. Uses nothing but Aspire's public API.</summary>
internal static class EngineCommands
{
    public const string Drain = "drain";

    /// <summary>Longer than an engine gives its running requests.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Adds <c>drain</c>: the engine takes no new request, leaves the registry, finishes what it has and ends. It stays ended until it is
    /// started again; the command returns when it has ended.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithDrainCommand(this IResourceBuilder<ProjectResource> engine) => engine.WithCommand(Drain, "Drain",
        DrainAsync, new CommandOptions
        {
            Description = "Finish the running requests, take no new ones, and end",
            ConfirmationMessage = "Let this engine finish its requests and end?",
            IconName = "ArrowExit",
            UpdateState = static context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });

    private static async Task<ExecuteCommandResult> DrainAsync(ExecuteCommandContext context)
    {
        var notifications = context.ServiceProvider.GetRequiredService<ResourceNotificationService>();
        if (!notifications.TryGetCurrentState(context.ResourceName, out var engine) || engine.Snapshot.State?.Text != KnownResourceStates.Running)
        {
            return CommandResults.Failure($"'{context.ResourceName}' does not run.");
        }
        // Replicas share the resource's address; each knows its own only from its environment.
        var urls = engine.Snapshot.EnvironmentVariables.FirstOrDefault(v => v.Name == "ASPNETCORE_URLS")?.Value;
        if (urls is null || !Uri.TryCreate(urls.Split(';')[0], UriKind.Absolute, out var address)) return CommandResults.Failure($"'{context.ResourceName}' has no http address.");

        using var client = context.ServiceProvider.GetRequiredService<IHttpClientFactory>().CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/engine/drain"));
        try
        {
            using var response = await client.SendAsync(request, context.CancellationToken);
            if (!response.IsSuccessStatusCode) return CommandResults.Failure($"'{context.ResourceName}' answered {(int)response.StatusCode} to the drain request.");
            await notifications.WaitForResourceAsync(context.ResourceName,
                e => e.Snapshot.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text), context.CancellationToken).WaitAsync(DrainLimit, context.CancellationToken);
            return CommandResults.Success();
        }
        catch (HttpRequestException e)
        {
            return CommandResults.Failure($"'{context.ResourceName}' could not be reached: {e.Message}");
        }
        catch (TimeoutException)
        {
            return CommandResults.Failure($"'{context.ResourceName}' has not ended after {DrainLimit.TotalSeconds:0} s; stop it to end it now.");
        }
    }
}
