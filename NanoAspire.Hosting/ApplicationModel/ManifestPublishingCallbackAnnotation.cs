using Aspire.Hosting.Publishing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Writes the resource into the manifest; null keeps it out.</summary>
public class ManifestPublishingCallbackAnnotation : IResourceAnnotation
{
    public ManifestPublishingCallbackAnnotation(Action<ManifestPublishingContext>? callback) => Callback = callback is null
        ? null
        : context =>
        {
            callback(context);
            return Task.CompletedTask;
        };

    public ManifestPublishingCallbackAnnotation(Func<ManifestPublishingContext, Task>? callback) => Callback = callback;

    public static ManifestPublishingCallbackAnnotation Ignore { get; } = new((Func<ManifestPublishingContext, Task>?)null);
    public Func<ManifestPublishingContext, Task>? Callback { get; }
}
