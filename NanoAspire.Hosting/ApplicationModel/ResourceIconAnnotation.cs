namespace Aspire.Hosting.ApplicationModel;

/// <summary>The icon a dashboard shows for the resource.</summary>
public sealed class ResourceIconAnnotation(string iconName, IconVariant iconVariant = IconVariant.Filled) : IResourceAnnotation
{
    public string IconName { get; } = iconName;
    public IconVariant IconVariant { get; } = iconVariant;
}
