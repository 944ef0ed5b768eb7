namespace Aspire.Hosting;

/// <summary>What a project resource takes from its project.</summary>
public class ProjectResourceOptions
{
    public string? LaunchProfileName { get; set; }
    public bool ExcludeLaunchProfile { get; set; }
    public bool ExcludeKestrelEndpoints { get; set; }
}
