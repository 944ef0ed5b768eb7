using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Benchmarks.Control;

/// <summary>Drives the real service process over HTTP, on the embedded store and, where there is one, on a Redis of its own.</summary>
internal static class CtrlBenchmark
{
    private const int ListRounds = 5;

    public static async Task<CtrlReport> RunAsync(int[] engines, int connections, TimeSpan duration, CancellationToken ct)
    {
        var figures = new List<CtrlFigures>();
        foreach (var count in engines) figures.Add(await MeasureAsync("embedded", count, connections, duration, redisPort: null, ct));
        if (!Programs.OnPath("redis-server") || !Programs.OnPath("redis-benchmark")) return new CtrlReport { Connections = connections, Figures = figures };

        var port = Programs.FreePort();
        using var redis = Programs.Start("redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        try
        {
            await AnswersAsync(port, ct);
            foreach (var count in engines) figures.Add(await MeasureAsync("redis", count, connections, duration, port, ct));
            var best = figures.Where(f => f.Store == "redis").Max(f => f.Heartbeats);
            var pexpire = await RedisBenchmarkAsync(port, connections, ["PEXPIRE", "bench:service:e0", "60000"], ct);
            var script = await RedisBenchmarkAsync(port, connections, HeartbeatCommand(), ct);
            return new CtrlReport
            {
                Connections = connections,
                Figures = figures,
                RedisPexpire = pexpire,
                RedisHeartbeatScript = script,
                HeartbeatToPexpire = best / pexpire,
                HeartbeatToScript = best / script,
            };
        }
        finally { redis.Kill(); }
    }

    private static async Task<CtrlFigures> MeasureAsync(string store, int engines, int connections, TimeSpan duration, int? redisPort, CancellationToken ct)
    {
        Console.Error.WriteLine($"{store}, {engines} engines");
        var port = Programs.FreePort();
        var command = new List<string> { Path.Combine(AppContext.BaseDirectory, "Ctrl.dll"), "server", "--port", $"{port}" };
        if (redisPort is not null) command.AddRange(["--redis-url", $"redis://127.0.0.1:{redisPort}"]);
        using var service = Programs.Start("dotnet", command);
        var open = new List<KeepAliveConnection>();
        try
        {
            await AnswersAsync(port, ct);
            for (var i = 0; i < connections; i++) open.Add(await KeepAliveConnection.OpenAsync(port, ct));
            var register = Requests(engines, "/register", i => $$$"""{"entity_id":"e{{{i}}}","kind":"dlengine","scope":"bench","endpoint":{"host":"10.0.0.1","port":8100,"protocol":"http"},"metadata":{"served_model_name":"m","model_path":"/models/m","role":"decode"}}""");
            var heartbeat = Requests(engines, "/heartbeat", i => $$"""{"entity_type":"service","entity_id":"e{{i}}","scope":"bench"}""");
            var lookup = Requests(engines, "/get_entity_info", i => $$"""{"entity_id":"e{{i}}","scope":"bench"}""");
            await OnceAsync(open, register, ct);                             // everyone is there, and the code is warm
            await RateAsync(open, heartbeat, TimeSpan.FromSeconds(Math.Min(1, duration.TotalSeconds)), latencies: null, ct);
            var latencies = new List<double>[connections];
            var registrations = await RateAsync(open, register, duration, latencies: null, ct);
            var before = CpuTime(service);
            var heartbeats = await RateAsync(open, heartbeat, duration, latencies, ct);
            var cpu = CpuTime(service) - before;
            var lookups = await RateAsync(open, lookup, duration, latencies: null, ct);
            var sorted = latencies.SelectMany(l => l).Order().ToArray();
            return new CtrlFigures
            {
                Store = store,
                Engines = engines,
                Registrations = registrations,
                Heartbeats = heartbeats,
                HeartbeatP50Us = sorted[sorted.Length / 2],
                HeartbeatP99Us = sorted[(int)(sorted.Length * 0.99)],
                HeartbeatCpuUs = cpu.TotalMicroseconds / sorted.Length,
                Lookups = lookups,
                ListMs = await ListAsync(open[0], ct),
            };
        }
        finally
        {
            foreach (var connection in open) connection.Dispose();
            service.Kill();
        }
    }

    private static TimeSpan CpuTime(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    private static byte[][] Requests(int count, string path, Func<int, string> body) => [.. Enumerable.Range(0, count).Select(i => KeepAliveConnection.Request(path, body(i)))];

    private static Task OnceAsync(List<KeepAliveConnection> open, byte[][] requests, CancellationToken ct)
    {
        var next = -1;
        return Task.WhenAll(open.Select(async connection =>
        {
            for (var i = Interlocked.Increment(ref next); i < requests.Length; i = Interlocked.Increment(ref next)) await connection.SendAsync(requests[i], ct);
        }));
    }

    private static async Task<double> RateAsync(List<KeepAliveConnection> open, byte[][] requests, TimeSpan duration, List<double>[]? latencies, CancellationToken ct)
    {
        long sent = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(open.Select(async (connection, worker) =>
        {
            var mine = new List<double>(64 * 1024);
            if (latencies is not null) latencies[worker] = mine;
            for (var i = worker; Stopwatch.GetElapsedTime(started) < duration; i += open.Count)
            {
                var before = Stopwatch.GetTimestamp();
                await connection.SendAsync(requests[i % requests.Length], ct);
                Interlocked.Increment(ref sent);
                if (latencies is not null) mine.Add(Stopwatch.GetElapsedTime(before).TotalMicroseconds);
            }
        }));
        return sent / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<double> ListAsync(KeepAliveConnection connection, CancellationToken ct)
    {
        var request = KeepAliveConnection.Request("/list_entities", """{"entity_type":"service","scope":"bench"}""");
        var times = new List<double>();
        for (var round = 0; round < ListRounds; round++)
        {
            var before = Stopwatch.GetTimestamp();
            await connection.SendAsync(request, ct);
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }
        return times.Order().ElementAt(ListRounds / 2);
    }

    /// <summary>The command that the service sends for a heartbeat, on a record that the service registered.</summary>
    private static string[] HeartbeatCommand()
    {
        var keys = new RedisKeys("bench");
        return
        [
            "EVALSHA", RedisScript.Renew.Sha1Hex, "5", keys.Record("service", "e0"), keys.Index("service"), keys.Types, RedisKeys.Leases, RedisKeys.Orphans,
            "60000", keys.Member("service", "e0"), "service", "e0", "", "300000",
        ];
    }

    private static async Task<double> RedisBenchmarkAsync(int port, int connections, string[] command, CancellationToken ct)
    {
        using var benchmark = Process.Start(new ProcessStartInfo("redis-benchmark", ["-p", $"{port}", "-c", $"{connections}", "-n", "100000", "--csv", .. command]) { RedirectStandardOutput = true })!;
        var output = await benchmark.StandardOutput.ReadToEndAsync(ct);
        await benchmark.WaitForExitAsync(ct);
        // "test","rps",… then one line whose last columns are numbers; the command's own text may hold commas.
        var columns = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split("\",\"");
        return double.Parse(columns[^7].Trim('"'), CultureInfo.InvariantCulture);
    }

    private static async Task AnswersAsync(int port, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, ct);
                return;
            }
            catch (SocketException) when (attempt < 300) { await Task.Delay(50, ct); }
        }
    }
}
