namespace NanoAspire.Router.Options;

/// <summary>Which images a request may bring. Their pixels are the encoder's to judge.</summary>
internal sealed record ImageOptions
{
    /// <summary>Images of one request.</summary>
    public int MaxCount { get; init; } = 16;
    /// <summary>Bytes of one image, decoded from base64.</summary>
    public int MaxBytes { get; init; } = 20 << 20;
    /// <summary>
    /// <c>host</c> or <c>host:port</c> that media may be fetched from. None by default: a URL in a request would let clients make
    /// requests from inside the network.
    /// </summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public bool Allows(Uri url) => Hosts.Any(host => host.Equals(url.Authority, StringComparison.OrdinalIgnoreCase) || host.Equals(url.Host, StringComparison.OrdinalIgnoreCase));

    public void Validate()
    {
        RouterOptions.Require(MaxCount is >= 0 and <= 1024, "--max-images must be between 0 and 1024");
        RouterOptions.Require(MaxBytes is > 0 and <= 256 << 20, "--max-image-size must be between 1 and 268435456");
        RouterOptions.Require(Hosts.All(host => Uri.TryCreate($"http://{host}", UriKind.Absolute, out var url) && url.PathAndQuery == "/" && !host.Contains('*')), "--allow-image-host takes HOST or HOST:PORT");
    }
}
