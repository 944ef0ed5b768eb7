namespace Aspire.Hosting.ApplicationModel;

/// <summary>The launch profile that is preferred where the project has it.</summary>
public sealed class DefaultLaunchProfileAnnotation(string launchProfileName) : IResourceAnnotation
{
    public string LaunchProfileName { get; } = launchProfileName;
}
