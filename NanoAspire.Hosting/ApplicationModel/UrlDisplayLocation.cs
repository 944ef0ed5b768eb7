namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a resource's link appears.</summary>
public enum UrlDisplayLocation
{
    SummaryAndDetails,
    DetailsOnly,
}
