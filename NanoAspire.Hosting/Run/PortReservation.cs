using System.Net;
using System.Net.Sockets;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// Keeps a port for a process that will bind it later. It listens, because only a listening socket keeps others off while still
/// letting the port be taken over at once; whoever connects meanwhile is reset.
/// </summary>
internal sealed class PortReservation : IDisposable
{
    private const int Attempts = 32;
    private readonly List<Socket> _sockets;

    private PortReservation(int port, List<Socket> sockets)
    {
        Port = port;
        _sockets = sockets;
        foreach (var socket in sockets) _ = ResetAllAsync(socket);
    }

    public int Port { get; }

    /// <summary>Null when somebody else listens on the port, on any of the addresses that the host name stands for.</summary>
    public static PortReservation? TryFixed(string host, int port)
    {
        var sockets = new List<Socket>();
        foreach (var address in LoopbackAddresses.Of(host))
        {
            if (TryListen(address, port) is { } socket)
            {
                sockets.Add(socket);
                continue;
            }
            if (address.AddressFamily == AddressFamily.InterNetworkV6 && !LoopbackAddresses.HasIPv6) continue;
            sockets.ForEach(s => s.Dispose());
            return null;
        }
        return new PortReservation(port, sockets);
    }

    /// <exception cref="DistributedApplicationException">The machine has no free port.</exception>
    public static PortReservation Any(string host)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)probe.LocalEndPoint!).Port;
            probe.Dispose();
            if (TryFixed(host, port) is { } reservation) return reservation;
        }
        throw new DistributedApplicationException("No free TCP port was found.");
    }

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    private static Socket? TryListen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static async Task ResetAllAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync().ConfigureAwait(false);
                client.Close(0);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed: the port is handed over
        }
    }
}
