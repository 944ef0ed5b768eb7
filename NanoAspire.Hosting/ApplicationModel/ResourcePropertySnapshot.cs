namespace Aspire.Hosting.ApplicationModel;

/// <summary>One property shown for a resource.</summary>
public sealed record ResourcePropertySnapshot(string Name, object? Value)
{
    /// <summary>Masked until asked for.</summary>
    public bool IsSensitive { get; init; }
}
