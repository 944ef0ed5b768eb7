namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a command's availability is decided on.</summary>
public sealed class UpdateCommandStateContext
{
    public required CustomResourceSnapshot ResourceSnapshot { get; init; }
    public required IServiceProvider ServiceProvider { get; init; }
}
