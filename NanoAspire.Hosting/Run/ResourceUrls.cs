namespace NanoAspire.Hosting.Run;

/// <summary>The links of a resource: one an endpoint, then what the model adds or changes.</summary>
internal static class ResourceUrls
{
    public static async Task PublishAsync(IResource resource, IEnumerable<string> instances, DistributedApplicationExecutionContext execution, ResourceNotificationService notifications, CancellationToken ct)
    {
        var urls = new List<ResourceUrlAnnotation>();
        foreach (var endpoint in ((IResourceWithEndpoints)resource).GetEndpoints().Where(e => e.IsAllocated))
        {
            urls.Add(new ResourceUrlAnnotation { Url = endpoint.Url, Endpoint = endpoint });
        }
        urls.AddRange(resource.Annotations.OfType<ResourceUrlAnnotation>());
        var context = new ResourceUrlsCallbackContext(execution, resource, urls, ct);
        foreach (var callback in resource.Annotations.OfType<ResourceUrlsCallbackAnnotation>()) await callback.Callback(context).ConfigureAwait(false);
        foreach (var id in instances) await notifications.PublishUpdateAsync(resource, id, s => s with
        {
            Urls = [.. urls.Select((u, i) => new UrlSnapshot(u.Endpoint?.EndpointName, u.Url, IsInternal: u.DisplayLocation == UrlDisplayLocation.DetailsOnly)
            {
                IsInactive = true,
                DisplayProperties = new UrlDisplayPropertiesSnapshot(u.DisplayText ?? "", u.DisplayOrder ?? i),
            })],
        }).ConfigureAwait(false);
    }
}
