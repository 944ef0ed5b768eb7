namespace Aspire.Hosting.ApplicationModel;

/// <summary>The weight of an icon.</summary>
public enum IconVariant
{
    Regular,
    Filled,
}
