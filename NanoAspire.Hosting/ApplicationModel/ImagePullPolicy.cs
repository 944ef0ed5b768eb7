namespace Aspire.Hosting.ApplicationModel;

/// <summary>When an image is fetched: as the runtime likes, before every start, or only when it is not here.</summary>
public enum ImagePullPolicy
{
    Default = 0,
    Always = 1,
    Missing = 2,
}
