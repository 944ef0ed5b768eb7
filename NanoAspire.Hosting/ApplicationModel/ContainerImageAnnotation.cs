namespace Aspire.Hosting.ApplicationModel;

/// <summary>The image of a container. Tag and digest exclude each other.</summary>
public sealed class ContainerImageAnnotation : IResourceAnnotation
{
    private string? _tag;
    private string? _sha256;

    public string? Registry { get; set; }
    public required string Image { get; set; }

    public string? Tag
    {
        get => _tag;
        set
        {
            _tag = value;
            if (value is not null) _sha256 = null;
        }
    }

    public string? SHA256
    {
        get => _sha256;
        set
        {
            _sha256 = value;
            if (value is not null) _tag = null;
        }
    }
}
