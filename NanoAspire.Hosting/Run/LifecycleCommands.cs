namespace NanoAspire.Hosting.Run;

/// <summary>Start, stop and restart.</summary>
internal static class LifecycleCommands
{
    public static void AddTo(IResource resource, ApplicationOrchestrator orchestrator)
    {
        Add(KnownResourceCommands.StartCommand, "Start", "Start the resource", "Play",
            state => state is null || state == KnownResourceStates.NotStarted || state == KnownResourceStates.Waiting || KnownResourceStates.TerminalStates.Contains(state)
                ? ResourceCommandState.Enabled : state == KnownResourceStates.Running ? ResourceCommandState.Hidden : ResourceCommandState.Disabled,
            c => orchestrator.StartAsync(resource, c.ResourceName, c.CancellationToken));
        Add(KnownResourceCommands.StopCommand, "Stop", "Stop the resource", "Stop",
            state => IsRunning(state) ? ResourceCommandState.Enabled : state == KnownResourceStates.Stopping ? ResourceCommandState.Disabled : ResourceCommandState.Hidden,
            c => orchestrator.StopAsync(resource, c.ResourceName, c.CancellationToken));
        Add(KnownResourceCommands.RestartCommand, "Restart", "Stop the resource and start it again", "ArrowCounterclockwise",
            state => IsRunning(state) ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
            c => orchestrator.RestartAsync(resource, c.ResourceName, c.CancellationToken));

        void Add(string name, string displayName, string description, string icon, Func<string?, ResourceCommandState> available,
            Func<ExecuteCommandContext, Task<ExecuteCommandResult>> execute)
        {
            if (resource.Annotations.OfType<ResourceCommandAnnotation>().Any(c => c.Name == name)) return;
            resource.Annotations.Add(new ResourceCommandAnnotation(name, displayName, context => available(context.ResourceSnapshot.State?.Text), execute, description,
                parameter: null, confirmationMessage: null, icon, IconVariant.Filled, isHighlighted: true));
        }
    }

    private static bool IsRunning(string? state) => state == KnownResourceStates.Running || state == KnownResourceStates.RuntimeUnhealthy ||
        state == KnownResourceStates.Starting || state == KnownResourceStates.Restarting;
}
