namespace Aspire.Hosting.ApplicationModel;

/// <summary>Holds the start of a resource back until another is ready.</summary>
public class WaitAnnotation(IResource resource, WaitType waitType, int exitCode = 0) : IResourceAnnotation
{
    public IResource Resource { get; } = resource;
    public WaitType WaitType { get; } = waitType;

    /// <summary>Null takes the application's default.</summary>
    public WaitBehavior? WaitBehavior { get; set; }
    public int ExitCode { get; } = exitCode;
}
