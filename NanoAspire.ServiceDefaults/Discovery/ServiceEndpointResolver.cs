using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace NanoAspire.ServiceDefaults.Discovery;

/// <summary>
/// Logical addresses to real ones, from the configuration section <c>Services:{name}:{endpoint or scheme}</c>
/// (variables <c>services__{name}__{endpoint}__{n}</c>). Accepts <c>scheme://name</c>, <c>first+second://name</c> in order of preference
/// and <c>scheme://_endpoint.name</c>. A name without configuration is left to DNS.
/// </summary>
internal sealed class ServiceEndpointResolver : IDisposable
{
    private const int MaxCachedNames = 1024;

    private readonly IConfiguration _configuration;
    private readonly ConcurrentDictionary<string, Candidates> _cache = new(StringComparer.OrdinalIgnoreCase);
    private readonly IDisposable _changes;

    public ServiceEndpointResolver(IConfiguration configuration)
    {
        _configuration = configuration;
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, _cache.Clear);
    }

    /// <summary>The address to call now: round robin over what is configured, path and query kept, a configured path in front of them.</summary>
    /// <exception cref="InvalidOperationException">The configuration of that name is malformed or offers no endpoint with an allowed scheme.</exception>
    public Uri Resolve(Uri address)
    {
        var key = $"{address.Scheme}://{address.Host}";
        if (!_cache.TryGetValue(key, out var candidates))
        {
            if (_cache.Count >= MaxCachedNames) _cache.Clear();
            candidates = _cache.GetOrAdd(key, Read(address));
        }
        return candidates.Next() is { } target ? Combine(target, address) : candidates.PassThrough(address);
    }

    public void Dispose() => _changes.Dispose();

    private Candidates Read(Uri address)
    {
        var schemes = address.Scheme.Split('+', StringSplitOptions.RemoveEmptyEntries);
        var (endpoint, name) = SplitHost(address.Host);
        var section = _configuration.GetSection($"Services:{name}");
        string[] keys = endpoint is null ? ["default", .. schemes] : [endpoint];
        var values = keys.Select(section.GetSection).FirstOrDefault(candidate => candidate.Exists());
        if (values is null) return new Candidates(schemes[0], name, []);

        var targets = Values(values).Select(value => Parse(value, schemes[0], values.Path)).ToList();
        var best = schemes.FirstOrDefault(scheme => targets.Any(target => target.Scheme == scheme))
            ?? throw new InvalidOperationException($"{values.Path} offers no {string.Join(" or ", schemes)} endpoint");
        return new Candidates(schemes[0], name, [.. targets.Where(target => target.Scheme == best)]);
    }

    private static (string? Endpoint, string Name) SplitHost(string host)
    {
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        return host.StartsWith('_') && dot > 1 ? (host[1..dot], host[(dot + 1)..]) : (null, host);
    }

    private static IEnumerable<string> Values(IConfigurationSection section)
    {
        if (section.Value is { } single) return [single];
        return section.GetChildren().Select(child =>
            int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && child.Value is { } value
                ? (index, value)
                : throw new InvalidOperationException($"{child.Path} is not an indexed address: expected a number as key and an address as value"))
            .OrderBy(entry => entry.index)
            .Select(entry => entry.value);
    }

    private static Uri Parse(string value, string scheme, string path)
    {
        var text = value.Contains("://", StringComparison.Ordinal) ? value : $"{scheme}://{value}";
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0
            ? uri
            : throw new InvalidOperationException($"{path} holds '{value}', which is neither scheme://host:port nor host:port");
    }

    private static Uri Combine(Uri target, Uri address) => new UriBuilder(address)
    {
        Scheme = target.Scheme,
        Host = target.Host,
        Port = target.Port,
        Path = target.AbsolutePath.TrimEnd('/') + address.AbsolutePath,
    }.Uri;

    private sealed class Candidates(string scheme, string name, Uri[] targets)
    {
        private uint _next = uint.MaxValue;

        public Uri? Next() => targets.Length == 0 ? null : targets[Interlocked.Increment(ref _next) % (uint)targets.Length];

        public Uri PassThrough(Uri address) => address.Scheme == scheme && address.Host == name
            ? address
            : new UriBuilder(address) { Scheme = scheme, Host = name, Port = address.IsDefaultPort ? -1 : address.Port }.Uri;
    }
}
