using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// Keeps a port for a process that will bind it later. It listens, because only a listening socket keeps others off while still
/// letting the port be taken over at once; whoever connects meanwhile is reset.
/// </summary>
internal sealed class PortReservation : IDisposable
{
    private const int Attempts = 64;
    private const int FirstPort = 10_000;

    /// <summary>
    /// The first port that the system gives out by itself. What a child will bind lies below: between the moment when a reservation ends
    /// and the moment when the child listens, no outgoing connection and no listener on "any port" can be given it.
    /// </summary>
    private static readonly int EphemeralFrom = ReadEphemeralFrom();

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
            if (TryFixed(host, Candidate()) is { } reservation) return reservation;
        }
        throw new DistributedApplicationException("No free TCP port was found.");
    }

    /// <summary>A port that is always the same for the same key, and that the system does not give out by itself.</summary>
    public static int Stable(string key)
    {
        var number = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return FirstPort + (int)(number % (uint)Math.Max(1, EphemeralFrom - FirstPort));
    }

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    private static int Candidate()
    {
        if (EphemeralFrom > FirstPort * 3 / 2) return Random.Shared.Next(FirstPort, EphemeralFrom);
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);      // hardly anything lies below: the system's choice
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static int ReadEphemeralFrom()
    {
        const int Usual = 32_768, Registered = 49_152;
        if (!OperatingSystem.IsLinux()) return Registered;
        try
        {
            return int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split(['\t', ' '], 2)[0], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Usual;
        }
    }

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
