using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Native.Rdma;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>The second process: serves one region, and the same bytes through bare sockets. Ends with its standard input.</summary>
internal static class TransferSource
{
    public const string Verb = "transfer-source";
    private const int PumpBytes = 1 << 20;

    public static async Task<int> RunAsync(long bytes, string transportName)
    {
        using var memory = BenchmarkMemory.Allocate(bytes, transportName);
        TransferBenchmark.Fill(memory.Address, bytes);
        var regions = new RegionRegistry();
        await using var transport = TransferBenchmark.Create(transportName, regions);
        var region = regions.Register("benchmark", memory.Address, (ulong)bytes, RegionAccess.PeersRead);
        var peer = transport.Listen();
        using var pump = new TcpListener(IPAddress.Loopback, 0);
        pump.Start();
        new Thread(() => Accept(pump, memory)) { IsBackground = true }.Start();
        Console.WriteLine($"{peer.Address} {peer.Incarnation} {region.Id} {((IPEndPoint)pump.LocalEndpoint).Port}");
        while (await Console.In.ReadLineAsync() is not null)
            Console.WriteLine(Environment.CpuUsage.TotalTime.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        await regions.UnregisterAsync(region, CancellationToken.None);
        return 0;
    }

    private static void Accept(TcpListener listener, BenchmarkMemory memory)
    {
        try
        {
            while (true)
            {
                var socket = listener.AcceptSocket();
                new Thread(() => Pump(socket, memory)) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // The listener was closed: the benchmark is over.
        }
    }

    /// <summary>For every eight bytes that say how many: that many, from the start of the memory.</summary>
    private static unsafe void Pump(Socket socket, BenchmarkMemory memory)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var count = new byte[sizeof(long)];
        while (socket.Receive(count) == count.Length)
        {
            var rest = BitConverter.ToInt64(count);
            for (long at = 0; rest > 0; at = (at + PumpBytes) % memory.Length)
            {
                var piece = (int)Math.Min(Math.Min(rest, PumpBytes), memory.Length - at);
                for (var sent = 0; sent < piece;) sent += socket.Send(new ReadOnlySpan<byte>((byte*)memory.Address + at + sent, piece - sent));
                rest -= piece;
            }
        }
    }
}
