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
            Commands = [.. annotations.Select(a => new ResourceCommandSnapshot(a.Name, StateOf(a, context), a.DisplayName, a.DisplayDescription,
                a.Parameter, a.ConfirmationMessage, a.IconName, a.IconVariant, a.IsHighlighted))],
        };
    }

    /// <summary>The callback is other people's code, called under the publisher's lock; one that throws disables its own command only.</summary>
    private static ResourceCommandState StateOf(ResourceCommandAnnotation command, UpdateCommandStateContext context)
    {
        try
        {
            return command.UpdateState(context);
        }
#pragma warning disable CA1031 // see above
        catch (Exception)
#pragma warning restore CA1031
        {
            return ResourceCommandState.Disabled;
        }
    }
}
