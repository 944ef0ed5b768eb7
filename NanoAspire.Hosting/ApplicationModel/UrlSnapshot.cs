namespace Aspire.Hosting.ApplicationModel;

/// <summary>One address of a resource.</summary>
public sealed record UrlSnapshot(string? Name, string Url, bool IsInternal)
{
    public bool IsInactive { get; init; }
    public UrlDisplayPropertiesSnapshot DisplayProperties { get; init; } = new();
}
