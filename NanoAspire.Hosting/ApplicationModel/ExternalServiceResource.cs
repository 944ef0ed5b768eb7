namespace Aspire.Hosting;

/// <summary>A service that somebody else runs, known by its URL or by a parameter that holds it.</summary>
public sealed class ExternalServiceResource : Resource, IResourceWithoutLifetime
{
    public ExternalServiceResource(string name, Uri uri) : base(name) => Uri = Checked(uri);
    public ExternalServiceResource(string name, ParameterResource urlParameter) : base(name) => UrlParameter = urlParameter;

    public Uri? Uri { get; }
    public ParameterResource? UrlParameter { get; }

    internal static Uri Checked(Uri uri)
    {
        if (!uri.IsAbsoluteUri) throw new ArgumentException($"The URL '{uri}' of an external service must be absolute.", nameof(uri));
        if (!uri.AbsolutePath.EndsWith('/') || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new ArgumentException($"The URL '{uri}' of an external service must end with '/' and have neither query nor fragment.", nameof(uri));
        }
        return uri;
    }

    internal async ValueTask<Uri> GetUriAsync(CancellationToken ct)
    {
        if (Uri is not null) return Uri;
        var text = await UrlParameter!.GetValueAsync(ct).ConfigureAwait(false);
        return Uri.TryCreate(text, UriKind.Absolute, out var uri)
            ? Checked(uri)
            : throw new DistributedApplicationException($"Parameter '{UrlParameter.Name}' of external service '{Name}' is not an absolute URL.");
    }
}
