namespace NanoAspire.Hosting.Run;

/// <summary>More and fewer instances of a running project that was declared with replicas, be it one: others may hold state that cannot be shared.</summary>
internal static class ScaleCommands
{
    public const int MaxInstances = 64;

    public static void AddTo(IResource resource, ApplicationOrchestrator orchestrator)
    {
        if (resource is not ProjectResource || !resource.HasAnnotationOfType<ReplicaAnnotation>()) return;
        Add(KnownResourceCommands.ScaleUpCommand, "Add a replica", "Start one more instance", "Add", confirmation: null, _ => Count(resource) < MaxInstances,
            c => orchestrator.ScaleUpAsync(resource, c.CancellationToken));
        Add(KnownResourceCommands.ScaleDownCommand, "Remove this replica", "Let this instance finish its work, then take it away", "Subtract",
            "Stop this instance and take it away?", _ => Count(resource) > 1, c => orchestrator.ScaleDownAsync(resource, c.ResourceName, c.CancellationToken));

        void Add(string name, string displayName, string description, string icon, string? confirmation, Func<CustomResourceSnapshot, bool> enabled,
            Func<ExecuteCommandContext, Task<ExecuteCommandResult>> execute)
        {
            if (resource.Annotations.OfType<ResourceCommandAnnotation>().Any(c => c.Name == name)) return;
            resource.Annotations.Add(new ResourceCommandAnnotation(name, displayName,
                context => enabled(context.ResourceSnapshot) ? ResourceCommandState.Enabled : ResourceCommandState.Disabled, execute, description,
                parameter: null, confirmation, icon, IconVariant.Filled, isHighlighted: false)
            {
                IsForWholeResource = true,
            });
        }
    }

    private static int Count(IResource resource) => ResourceInstance.IdsOf(resource).Count();
}
