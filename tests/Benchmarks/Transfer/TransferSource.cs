using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Native.Rdma;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>The second process: serves one region, and the same bytes through bare sockets. Ends with its standard input.</summary>
internal static class TransferSource
{
    public const string Verb = "transfer-source";

    public static async Task<int> RunAsync(long bytes, long block, string transportName)
    {
        using var memory = BenchmarkMemory.Allocate(bytes, transportName);
        TransferBenchmark.Fill(memory.Address, bytes);
        var regions = new RegionRegistry();
        await using var transport = TransferBenchmark.Create(transportName, regions);
        var region = regions.Register("benchmark", memory.Address, (ulong)bytes, RegionAccess.PeersRead);
        var peer = transport.Listen();
        using var pump = new TcpListener(IPAddress.Loopback, 0);
        pump.Start();
        var order = TransferBenchmark.SourceOrder((int)(bytes / block));
        new Thread(() => Accept(pump, memory, order, block)) { IsBackground = true }.Start();
        Console.WriteLine($"{peer.Address} {peer.Incarnation} {region.Id} {((IPEndPoint)pump.LocalEndpoint).Port}");
        while (await Console.In.ReadLineAsync() is not null)
            Console.WriteLine(Environment.CpuUsage.TotalTime.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        await regions.UnregisterAsync(region, CancellationToken.None);
        return 0;
    }

    private static void Accept(TcpListener listener, BenchmarkMemory memory, long[] order, long block)
    {
        try
        {
            while (true)
            {
                var socket = listener.AcceptSocket();
                new Thread(() => Pump(socket, memory, order, block)) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // The listener was closed: the benchmark is over.
        }
    }

    /// <summary>For every two numbers, which and how many: that many blocks of the order in which the benchmark reads them.</summary>
    private static void Pump(Socket socket, BenchmarkMemory memory, long[] order, long block)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var request = new byte[2 * sizeof(long)];
        while (socket.Receive(request) == request.Length)
        {
            var (first, count) = (BitConverter.ToInt64(request), BitConverter.ToInt64(request, sizeof(long)));
            BlockPump.Move(socket, memory.Address, order.AsSpan((int)first, (int)count), block, sends: true);
        }
    }
}
