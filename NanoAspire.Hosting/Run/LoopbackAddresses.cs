using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Hosting.Run;

/// <summary>The addresses that a target host means; <c>localhost</c> is two where the machine has IPv6.</summary>
internal static class LoopbackAddresses
{
    public static bool HasIPv6 { get; } = CanBind(IPAddress.IPv6Loopback);

    public static IEnumerable<IPAddress> Of(string host)
    {
        if (IPAddress.TryParse(host, out var address)) return [address];
        if (!string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) return [IPAddress.Any];
        return HasIPv6 ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback];
    }

    private static bool CanBind(IPAddress address)
    {
        if (!Socket.OSSupportsIPv6) return false;
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
