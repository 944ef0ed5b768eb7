namespace NanoAspire.Hosting.Run;

/// <summary>What is shown of each resource before it starts, and all that is ever shown of those that do not run.</summary>
internal static class FirstSnapshot
{
    public static async Task PublishAsync(IResource resource, IEnumerable<string> instances, ResourceNotificationService notifications, TimeProvider time, CancellationToken ct)
    {
        var created = time.GetUtcNow().UtcDateTime;
        var state = await StateAsync(resource, ct).ConfigureAwait(false);
        foreach (var id in instances) await notifications.PublishUpdateAsync(resource, id, s => s with
        {
            CreationTimeStamp = s.CreationTimeStamp ?? created,
            Relationships = [.. resource.Annotations.OfType<ResourceRelationshipAnnotation>().Select(r => new RelationshipSnapshot(r.Resource.Name, r.Type))],
            Volumes = [.. resource.Annotations.OfType<ContainerMountAnnotation>().Select(m => new VolumeSnapshot(m.Source, m.Target, m.Type.ToString(), m.IsReadOnly))],
            IconName = resource.TryGetLastAnnotation<ResourceIconAnnotation>(out var icon) ? icon.IconName : s.IconName,
            IconVariant = icon?.IconVariant ?? s.IconVariant,
            State = state.State ?? s.State,
            Properties = [.. s.Properties, .. state.Properties],
            IsUnavailable = state.IsUnavailable,
        }).ConfigureAwait(false);
    }

    private static async Task<(ResourceStateSnapshot? State, ResourcePropertySnapshot[] Properties, bool IsUnavailable)> StateAsync(IResource resource, CancellationToken ct)
    {
        if (resource.TryGetLastAnnotation<UnavailableAnnotation>(out var unavailable))
        {
            return (new ResourceStateSnapshot(KnownResourceStates.Unavailable, KnownResourceStateStyles.Warn),
                [new ResourcePropertySnapshot(RunningSnapshot.FailureReason, unavailable.Reason)], IsUnavailable: true);
        }
        if (resource.HasAnnotationOfType<InstancesAnnotation>()) return (KnownResourceStates.NotStarted, [], false);
        if (resource is ParameterResource parameter) return await ParameterAsync(parameter, ct).ConfigureAwait(false);
        if (resource is ExternalServiceResource && resource.HasAnnotationOfType<HealthCheckAnnotation>()) return (new ResourceStateSnapshot(KnownResourceStates.Running, KnownResourceStateStyles.Success), [], false);
        if (resource is IResourceWithoutLifetime) return (new ResourceStateSnapshot(KnownResourceStates.Active, KnownResourceStateStyles.Success), [], false);
        return (null, [], false);
    }

    private static async Task<(ResourceStateSnapshot? State, ResourcePropertySnapshot[] Properties, bool IsUnavailable)> ParameterAsync(ParameterResource parameter, CancellationToken ct)
    {
        try
        {
            var value = await ((IValueProvider)parameter).GetValueAsync(ct).ConfigureAwait(false);
            return (new ResourceStateSnapshot(KnownResourceStates.Running, KnownResourceStateStyles.Success),
                [new ResourcePropertySnapshot("Value", value) { IsSensitive = parameter.Secret }], false);
        }
        catch (MissingParameterValueException e)
        {
            return (new ResourceStateSnapshot("Value missing", KnownResourceStateStyles.Warn), [new ResourcePropertySnapshot(RunningSnapshot.FailureReason, e.Message)], false);
        }
    }
}
