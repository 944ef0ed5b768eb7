using System.Net;

namespace NanoAspire.Native.Rdma.Tcp;

/// <summary>Limits and deadlines of <see cref="TcpTransport"/>.</summary>
public sealed record TcpTransportOptions
{
    /// <summary>Loopback unless told otherwise: regions are served without authentication.</summary>
    public IPAddress BindAddress { get; init; } = IPAddress.Loopback;
    /// <summary>0: the system chooses.</summary>
    public int Port { get; init; }
    /// <summary>Host that peers connect to; null: the bind address, or this machine's name when bound to all addresses.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>Connections that one large read uses.</summary>
    public int ConnectionsPerRead { get; init; } = 2;
    /// <summary>Connections to one peer, all reads together; a read waits for one.</summary>
    public int MaxConnectionsPerPeer { get; init; } = 8;
    /// <summary>Connections that the source serves; more are answered <see cref="TransferCode.Busy"/>.</summary>
    public int MaxServedConnections { get; init; } = 512;
    /// <summary>Bytes one request asks for at most; two requests are in flight on a connection.</summary>
    public int FrameBytes { get; init; } = 4 << 20;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>A frame that takes longer, on either side, ends its connection.</summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>How long a reader on this machine may take to copy what it has pinned.</summary>
    public TimeSpan PinTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>A connection that was idle for longer answers a ping before it is used again.</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Idle connections are closed after it; the source waits twice as long.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public IEnumerable<string> Validate()
    {
        if (Port is < 0 or > IPEndPoint.MaxPort) yield return "port must be between 0 and 65535";
        if (ConnectionsPerRead < 1) yield return "connections per read must be at least 1";
        if (MaxConnectionsPerPeer < ConnectionsPerRead) yield return "connections per peer must not be fewer than connections per read";
        if (MaxServedConnections < 1) yield return "served connections must be at least 1";
        if (FrameBytes is < 4096 or > TcpWire.MaxFrameBytes) yield return $"frame bytes must be between 4096 and {TcpWire.MaxFrameBytes}";
        if (ConnectTimeout <= TimeSpan.Zero) yield return "connect timeout must be positive";
        if (FrameTimeout <= TimeSpan.Zero) yield return "frame timeout must be positive";
        if (PinTimeout <= TimeSpan.Zero) yield return "pin timeout must be positive";
        if (PingAfter <= TimeSpan.Zero) yield return "ping-after must be positive";
        if (IdleTimeout <= TimeSpan.Zero) yield return "idle timeout must be positive";
    }
}
