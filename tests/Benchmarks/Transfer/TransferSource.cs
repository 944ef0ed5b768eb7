using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.SharedMemory;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>The second process: serves one region, and the same bytes through bare sockets. Ends with its standard input.</summary>
internal static class TransferSource
{
    public const string Verb = "transfer-source";
    private const int PumpBytes = 1 << 20;

    public static async Task<int> RunAsync(long bytes)
    {
        using var arena = SharedArena.Allocate(bytes);
        TransferBenchmark.Fill(arena.Address, bytes);
        var regions = new RegionRegistry();
        await using var transport = new SharedMemoryTransport(regions, new(), tcpFallback: false, copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance);
        var region = regions.Register("benchmark", arena.Address, (ulong)bytes, RegionAccess.PeersRead);
        var peer = transport.Listen();
        using var pump = new TcpListener(IPAddress.Loopback, 0);
        pump.Start();
        new Thread(() => Accept(pump, arena)) { IsBackground = true }.Start();
        Console.WriteLine($"{peer.Address} {peer.Incarnation} {region.Id} {((IPEndPoint)pump.LocalEndpoint).Port}");
        while (await Console.In.ReadLineAsync() is not null)
            Console.WriteLine(Environment.CpuUsage.TotalTime.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        await regions.UnregisterAsync(region, CancellationToken.None);
        return 0;
    }

    private static void Accept(TcpListener listener, SharedArena arena)
    {
        try
        {
            while (true)
            {
                var socket = listener.AcceptSocket();
                new Thread(() => Pump(socket, arena)) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // The listener was closed: the benchmark is over.
        }
    }

    /// <summary>For every eight bytes that say how many: that many, from the start of the arena.</summary>
    private static unsafe void Pump(Socket socket, SharedArena arena)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var count = new byte[sizeof(long)];
        while (socket.Receive(count) == count.Length)
        {
            var rest = BitConverter.ToInt64(count);
            for (long at = 0; rest > 0; at = (at + PumpBytes) % arena.Length)
            {
                var piece = (int)Math.Min(Math.Min(rest, PumpBytes), arena.Length - at);
                for (var sent = 0; sent < piece;) sent += socket.Send(new ReadOnlySpan<byte>((byte*)arena.Address + at + sent, piece - sent));
                rest -= piece;
            }
        }
    }
}
