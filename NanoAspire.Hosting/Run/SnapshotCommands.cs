namespace NanoAspire.Hosting.Run;

/// <summary>Keeps the command list of a snapshot in step with its state.</summary>
internal static class SnapshotCommands
{
    public static CustomResourceSnapshot Update(IResource resource, CustomResourceSnapshot snapshot, IServiceProvider services)
    {
        if (!resource.TryGetAnnotationsOfType<ResourceCommandAnnotation>(out var annotations)) return snapshot;
        var context = new UpdateCommandStateContext { ResourceSnapshot = snapshot, ServiceProvider = services };
        return snapshot with
        {
            Commands = [.. annotations.Select(a => new ResourceCommandSnapshot(a.Name, a.UpdateState(context), a.DisplayName, a.DisplayDescription,
                a.Parameter, a.ConfirmationMessage, a.IconName, a.IconVariant, a.IsHighlighted))],
        };
    }
}
