using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Benchmarks.Transfer;

/// <summary>Reads all blocks of a second process in random order, and in the same run does what that is compared with, in alternating order.</summary>
internal static class TransferBenchmark
{
    /// <summary>Passes that do not count: the runtime compiles its code meanwhile, which the others, compiled before, need not.</summary>
    private const int WarmUp = 10;
    private const int Passes = 21, Sockets = 2, SmallReads = 4000, SmallBytes = 4096, TinyRanges = 100_000, HotFactor = 8;
    /// <summary>Operations in flight, here and in perftest.</summary>
    private const int Window = 256;
    /// <summary>What UCX has on one machine without the processor of the source.</summary>
    private const string OneSided = "posix,sysv,self";

    public static async Task<TransferReport> RunAsync(long bytes, long block, string transportName, CancellationToken cancellationToken)
    {
        using var process = Start(bytes, block, transportName);
        try
        {
            var words = (await process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new IOException("the source process did not start")).Split(' ');
            var peer = new TransferPeer(words[0], ulong.Parse(words[1], CultureInfo.InvariantCulture));
            if (!RegionId.TryParse(words[2], out var remote)) throw new IOException($"'{words[2]}' is not a region");

            var regions = new RegionRegistry();
            await using var transport = Create(transportName, regions);
            using var to = BenchmarkMemory.Allocate(bytes, transportName);
            using var own = BenchmarkMemory.Allocate(bytes, transportName);
            Fill(own.Address, bytes);
            Fill(to.Address, bytes);
            var local = regions.Register("benchmark", to.Address, (ulong)bytes, RegionAccess.Local).Id;
            var blocks = (int)(bytes / block);
            var (source, destination) = (SourceOrder(blocks), Shuffled(blocks, 2));
            var ranges = source.Select((from, i) => new TransferRange
            {
                Remote = remote, RemoteOffset = (ulong)(from * block), Local = local, LocalOffset = (ulong)(destination[i] * block), Length = (ulong)block,
            }).ToArray();

            // One block again and again: what perftest calls reading; and as there, a tenth of it before the clock starts.
            var hotRanges = Enumerable.Repeat(ranges[0], blocks * HotFactor).ToArray();
            var hotWarmUp = hotRanges[..Math.Max(1, hotRanges.Length / 10)];
            List<double> ours = [], copies = [], pumps = [], hot = [], perftestHot = [], perftestCold = [], perftestTcp = [];
            using var pump = new PumpReader(int.Parse(words[3], CultureInfo.InvariantCulture), Sockets);
            double readerCpu = 0, sourceCpu = 0;
            for (var pass = 0; pass < WarmUp + Passes; pass++)
            {
                Func<Task>[] steps =
                [
                    async () =>
                    {
                        var (reader, other) = (Environment.CpuUsage.TotalTime.TotalSeconds, await CpuAsync(process, cancellationToken));
                        await TimeAsync(ours, bytes, () => transport.ReadAsync(peer, ranges, token: 0, cancellationToken));
                        if (pass < WarmUp) return;
                        readerCpu += Environment.CpuUsage.TotalTime.TotalSeconds - reader;
                        sourceCpu += await CpuAsync(process, cancellationToken) - other;
                    },
                    () => TimeAsync(copies, bytes, () => Task.Run(() => Copy(own.Address, to.Address, source, destination, block), cancellationToken)),
                    async () =>
                    {
                        await transport.ReadAsync(peer, hotWarmUp, token: 0, cancellationToken);
                        await TimeAsync(hot, bytes * HotFactor, () => transport.ReadAsync(peer, hotRanges, token: 0, cancellationToken));
                    },
                    () => PerftestAsync(pass, transportName == "ucx", perftestHot, () => Perftest.GetAsync(OneSided, block, Window, bytes * HotFactor / block, cancellationToken)),
                    () => PerftestAsync(pass, transportName == "ucx", perftestCold, () => Perftest.GetAsync(OneSided, bytes, window: 1, iterations: 4, cancellationToken)),
                    () => PerftestAsync(pass, transportName == "tcp", perftestTcp, () => Perftest.GetAsync("tcp", block, Window, bytes / block, cancellationToken)),
                    () => TimeAsync(pumps, bytes, () => Task.Run(() => pump.Receive(to.Address, destination, block), cancellationToken)),
                ];
                foreach (var step in pass % 2 == 0 ? steps : steps.Reverse()) await step();
            }

            unsafe { new Span<byte>((void*)to.Address, (int)Math.Min(bytes, int.MaxValue)).Clear(); }
            await transport.ReadAsync(peer, ranges, token: 0, cancellationToken);
            Verify(own.Address, to.Address, source, destination, block);
            var small = ranges[0] with { Length = (ulong)Math.Min(block, SmallBytes) };
            var latencies = await LatenciesAsync(() => transport.ReadAsync(peer, [small], token: 0, cancellationToken));
            var tiny = Enumerable.Range(0, TinyRanges).Select(i => ranges[i % ranges.Length] with { Length = 64 }).ToArray();
            List<double> rates = [];
            for (var pass = 0; pass < Passes; pass++) await TimeAsync(rates, TinyRanges, () => transport.ReadAsync(peer, tiny, token: 0, cancellationToken));
            List<double> sums = [];
            for (var pass = 0; pass < 3; pass++) await TimeAsync(sums, bytes, () => Task.Run(() => Hash(to.Address, blocks, block), cancellationToken));
            var gigabytes = Passes * bytes / 1e9;
            return new()
            {
                Transport = transportName,
                Path = transport.Paths is [var path, ..] ? $"{path.Path}: {path.Reason}" : transport.Name,
                GigabytesPerSecond = Median(ours[WarmUp..]),
                Hot = Median(hot[WarmUp..]),
                PerftestHot = MedianOrNull(perftestHot),
                PerftestCold = MedianOrNull(perftestCold),
                PerftestTcp = MedianOrNull(perftestTcp),
                SmallRanges = Median(rates) * 1e9,
                MemoryCopy = Median(copies[WarmUp..]),
                SocketPump = Median(pumps[WarmUp..]),
                Checksum = Median(sums),
                P50 = latencies[latencies.Count / 2],
                P99 = latencies[latencies.Count * 99 / 100],
                ReaderCpu = readerCpu / gigabytes,
                SourceCpu = sourceCpu / gigabytes,
            };
        }
        finally
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <exception cref="IOException">This machine does not have it.</exception>
    public static ITransport Create(string name, RegionRegistry regions)
    {
        if (name == "ucx" && UcxLibrary.Reason is { } missing) throw new IOException(missing);
        return name switch
        {
            "shm" => new SharedMemoryTransport(regions, new(), tcpFallback: false, copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance),
            "ucx" => new UcxTransport(regions, new(), new(), tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance),
            _ => new TcpTransport(regions, new(), TimeProvider.System, NullLogger<TcpTransport>.Instance),
        };
    }

    public static unsafe void Fill(nint address, long bytes)
    {
        for (long at = 0; at + sizeof(long) <= bytes; at += sizeof(long)) *(long*)(address + (nint)at) = at * 0x9E37_79B9 + 1;
    }

    private static Process Start(long bytes, long block, string transportName)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(TransferBenchmark).Assembly.Location);
        start.ArgumentList.Add(TransferSource.Verb);
        start.ArgumentList.Add(bytes.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(block.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(transportName);
        return Process.Start(start) ?? throw new IOException("cannot start the source process");
    }

    private static async Task<double> CpuAsync(Process process, CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteLineAsync("cpu".AsMemory(), cancellationToken);
        return double.Parse(await process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new IOException("the source process has ended"), CultureInfo.InvariantCulture);
    }

    private static async Task PerftestAsync(int pass, bool wanted, List<double> rates, Func<Task<double?>> run)
    {
        if (wanted && pass >= WarmUp && await run() is { } rate) rates.Add(rate);
    }

    private static double? MedianOrNull(List<double> values) => values.Count == 0 ? null : Median(values);

    private static async Task TimeAsync(List<double> rates, long bytes, Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        rates.Add(bytes / 1e9 / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static async Task<List<double>> LatenciesAsync(Func<Task> read)
    {
        List<double> microseconds = [];
        for (var i = 0; i < SmallReads; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await read();
            if (i >= SmallReads / 4) microseconds.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
        }
        microseconds.Sort();
        return microseconds;
    }

    private static unsafe void Copy(nint from, nint to, long[] source, long[] destination, long block)
    {
        for (var i = 0; i < source.Length; i++)
            Buffer.MemoryCopy((byte*)from + source[i] * block, (byte*)to + destination[i] * block, block, block);
    }

    /// <summary>A fast transfer of the wrong bytes is no result; the source holds the same pattern as <paramref name="from"/>.</summary>
    private static unsafe void Verify(nint from, nint to, long[] source, long[] destination, long block)
    {
        for (var i = 0; i < source.Length; i++)
        {
            if (!new ReadOnlySpan<byte>((byte*)from + source[i] * block, (int)block).SequenceEqual(new ReadOnlySpan<byte>((byte*)to + destination[i] * block, (int)block)))
                throw new IOException($"block {source[i]} arrived damaged");
        }
    }

    private static unsafe void Hash(nint address, int blocks, long block)
    {
        var all = 0ul;
        for (var i = 0; i < blocks; i++) all ^= XxHash64.HashToUInt64(new ReadOnlySpan<byte>((byte*)address + i * block, (int)block));
        GC.KeepAlive(all);
    }

    /// <summary>The order in which the source's blocks are read, or sent.</summary>
    public static long[] SourceOrder(int blocks) => Shuffled(blocks, 1);

    private static long[] Shuffled(int count, int seed)
    {
        var order = Enumerable.Range(0, count).Select(static i => (long)i).ToArray();
        new Random(seed).Shuffle(order);
        return order;
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
