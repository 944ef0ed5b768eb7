namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a command is executed on.</summary>
public sealed class ExecuteCommandContext
{
    public required IServiceProvider ServiceProvider { get; init; }

    /// <summary>The id of the instance.</summary>
    public required string ResourceName { get; init; }
    public required CancellationToken CancellationToken { get; init; }
}
