using System.Net;
using System.Net.Sockets;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Api;

/// <summary>
/// Which Redis address others are told: what an operator set, else our own, with a loopback address replaced by one of this machine's
/// that the asker can reach. The two routes answer in the two forms that their clients expect, a URL and host:port.
/// </summary>
internal sealed class RedisDirections(CtrlOptions options, ICtrlStore store)
{
    private const string PublicProbe = "8.8.8.8";

    /// <summary>Full URL for <c>/get_redis_address</c>; null when there is no Redis.</summary>
    public string? ForAnyone()
    {
        if (!string.IsNullOrEmpty(options.RedisAdvertise)) return options.RedisAdvertise;
        if (store.Redis is not { } redis) return null;
        if (redis.Tls || !IsLoopback(redis.Host)) return redis.Url;
        return LocalAddressTowards(PublicProbe) is { } ip && !IPAddress.IsLoopback(ip) && !ip.Equals(IPAddress.Any) ? WithHost(redis, ip.ToString()) : redis.Url;
    }

    /// <summary>host:port for <c>/start_peer_agent</c>; empty when there is no Redis.</summary>
    /// <param name="claimed">The address that the agent gave as its own.</param>
    public string ForAgent(string claimed)
    {
        if (!string.IsNullOrEmpty(options.RedisAdvertise)) return WithoutScheme(options.RedisAdvertise);
        if (store.Redis is not { } redis) return "";
        if (redis.Tls) return redis.Url;
        if (!IsLoopback(redis.Host) || IsLoopback(claimed)) return $"{redis.Host}:{redis.Port}";
        if (options.RedisPublicAddress is { } given) return given;
        var ip = LocalAddressTowards(claimed) ?? LocalAddressTowards(PublicProbe) ?? IPAddress.Loopback;
        return $"{ip}:{redis.Port}";
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));

    private static string WithoutScheme(string url) => url.StartsWith("redis://", StringComparison.OrdinalIgnoreCase) ? url["redis://".Length..] : url;

    private static string WithHost(RedisAddress redis, string host)
    {
        var password = redis.Password is null ? "" : $":{Uri.EscapeDataString(redis.Password)}@";
        return $"redis://{password}{host}:{redis.Port}{(redis.Database is { } database ? $"/{database}" : "")}";
    }

    /// <summary>The source address this machine would use towards a peer; sends nothing.</summary>
    private static IPAddress? LocalAddressTowards(string peer)
    {
        if (!IPAddress.TryParse(peer, out var address)) return null;
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(address, 80);
            return (socket.LocalEndPoint as IPEndPoint)?.Address;
        }
        catch (SocketException) { return null; }                             // no route
    }
}
