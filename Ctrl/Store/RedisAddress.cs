using System.Globalization;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

/// <summary>Where Redis is, from either form of connection text: <c>redis://[:password@]host[:port][/db]</c> or <c>host:port,password=…</c>.</summary>
internal sealed record RedisAddress
{
    public const int DefaultPort = 6379;

    /// <summary>As a URL, the way agents and routers are told.</summary>
    public required string Url { get; init; }
    public required string Host { get; init; }
    public required int Port { get; init; }
    public string? Password { get; init; }
    public int? Database { get; init; }
    public bool Tls { get; init; }

    /// <summary>Host and port only: safe to log.</summary>
    public string Display => $"{Host}:{Port}";

    /// <exception cref="FormatException">The text is neither form; the message says what is wrong and holds no password.</exception>
    public static RedisAddress Parse(string text)
    {
        if (text.StartsWith("redis://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("rediss://", StringComparison.OrdinalIgnoreCase)) return ParseUrl(text);
        if (text.Contains("://", StringComparison.Ordinal)) throw new FormatException("a Redis address begins with redis:// or rediss://, or is host:port");
        return ParseConnectionString(text);
    }

    private static RedisAddress ParseUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0) throw new FormatException("the Redis URL has no host");
        string? password = null;
        if (url.UserInfo.Length > 0)
        {
            var colon = url.UserInfo.IndexOf(':');
            var user = Uri.UnescapeDataString(colon < 0 ? url.UserInfo : url.UserInfo[..colon]);
            if (user is not ("" or "default")) throw new FormatException("Redis users other than 'default' are not supported");
            password = colon < 0 ? null : Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]);
        }
        int? database = null;
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } path)
        {
            if (!int.TryParse(path, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) throw new FormatException("the Redis URL's path is not a database number");
            database = number;
        }
        return new RedisAddress
        {
            Url = text,
            Host = url.IdnHost,
            Port = url.Port > 0 ? url.Port : DefaultPort,
            Password = password,
            Database = database,
            Tls = url.Scheme == "rediss",
        };
    }

    private static RedisAddress ParseConnectionString(string text)
    {
        ConfigurationOptions options;
        try { options = ConfigurationOptions.Parse(text, ignoreUnknown: true); }
        catch (ArgumentException) { throw new FormatException("the Redis connection string cannot be read"); }
        var (host, port) = options.EndPoints switch
        {
            [System.Net.DnsEndPoint dns] => (dns.Host, dns.Port),
            [System.Net.IPEndPoint ip] => (ip.Address.ToString(), ip.Port),
            _ => throw new FormatException("the Redis connection string must name exactly one host"),
        };
        if (port == 0) port = DefaultPort;
        var credentials = string.IsNullOrEmpty(options.Password) ? "" : $":{Uri.EscapeDataString(options.Password)}@";
        var named = host.Contains(':') ? $"[{host}]" : host;
        return new RedisAddress
        {
            Url = $"{(options.Ssl ? "rediss" : "redis")}://{credentials}{named}:{port}{(options.DefaultDatabase is { } db ? $"/{db}" : "")}",
            Host = host,
            Port = port,
            Password = string.IsNullOrEmpty(options.Password) ? null : options.Password,
            Database = options.DefaultDatabase,
            Tls = options.Ssl,
        };
    }
}
