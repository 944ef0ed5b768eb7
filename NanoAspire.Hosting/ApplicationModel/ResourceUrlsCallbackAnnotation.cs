namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds to or changes a resource's links.</summary>
public sealed class ResourceUrlsCallbackAnnotation : IResourceAnnotation
{
    public ResourceUrlsCallbackAnnotation(Action<ResourceUrlsCallbackContext> callback) => Callback = context =>
    {
        callback(context);
        return Task.CompletedTask;
    };

    public ResourceUrlsCallbackAnnotation(Func<ResourceUrlsCallbackContext, Task> callback) => Callback = callback;

    public Func<ResourceUrlsCallbackContext, Task> Callback { get; }
}
