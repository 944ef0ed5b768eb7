namespace Aspire.Hosting.ApplicationModel;

/// <summary>The launch profile that was named.</summary>
public sealed class LaunchProfileAnnotation(string launchProfileName) : IResourceAnnotation
{
    public string LaunchProfileName { get; } = launchProfileName;
}
