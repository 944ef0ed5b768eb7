using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Benchmarks.Control;

namespace NanoAspire.Benchmarks.Proxy;

/// <summary>
/// What the router costs: the same requests to one mock engine directly, through the router process and, where there is one, through
/// nginx as a plain reverse proxy; and once more where the router keeps each stream's tokens, so that another engine could go on with it. The ways take turns, so that a noisy moment hits all of them.
/// </summary>
internal static class RouterBenchmark
{
    private const int Rounds = 5;
    private const string Body = """{"model":"mock","messages":[{"role":"user","content":"What does a router cost?"}],"max_tokens":9}""";
    private const string StreamBody = """{"model":"mock","messages":[{"role":"user","content":"What does a router cost?"}],"max_tokens":9,"stream":true}""";

    public static async Task<RouterReport> RunAsync(int requests, int concurrency, int tokens, CancellationToken ct)
    {
        using var engine = new MockEngine(tokens);
        using var resuming = new MockEngine(tokens, resumes: true);
        var folder = Directory.CreateTempSubdirectory("nanoaspire-router-benchmark");
        var routerPort = Programs.FreePort();
        var keepingPort = Programs.FreePort();
        using var router = StartRouter(routerPort, engine.Port);
        using var keeping = StartRouter(keepingPort, resuming.Port);   // knows the tokens of its streams
        using var nginx = Programs.OnPath("nginx") ? StartNginx(folder.FullName, engine.Port, out var nginxPort) : Nothing(out nginxPort);
        try
        {
            List<(string Way, int Port)> ways = [("direct", engine.Port), ("router", routerPort), ("keeping", keepingPort)];
            if (nginx is not null) ways.Add(("nginx", nginxPort));
            await ReadyAsync(routerPort, ct);
            await ReadyAsync(keepingPort, ct);

            var latencies = ways.ToDictionary(way => way.Way, _ => new List<double>());
            var rates = ways.ToDictionary(way => way.Way, _ => new List<double>());
            foreach (var (_, port) in ways) await LatenciesAsync(port, 1000, ct);                      // code warm, connections open
            foreach (var (_, port) in ways) await TokensPerSecondAsync(port, concurrency, tokens, ct);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var (way, port) in ways) latencies[way].AddRange(await LatenciesAsync(port, requests / Rounds, ct));
                foreach (var (way, port) in ways) rates[way].Add(await TokensPerSecondAsync(port, concurrency, tokens, ct));
            }
            return new RouterReport
            {
                Concurrency = concurrency,
                Ways = [.. ways.Select(way => RouterFigures.Of(way.Way, latencies[way.Way], rates[way.Way], latencies["direct"]))],
            };
        }
        finally
        {
            router.Kill();
            keeping.Kill();
            nginx?.Kill(entireProcessTree: true);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Microseconds of single requests, one after the other on one connection.</summary>
    private static async Task<List<double>> LatenciesAsync(int port, int requests, CancellationToken ct)
    {
        using var connection = await KeepAliveConnection.OpenAsync(port, ct);
        var request = KeepAliveConnection.Request("/v1/chat/completions", Body);
        var latencies = new List<double>(requests);
        for (var i = 0; i < requests; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await connection.SendAsync(request, ct);
            latencies.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
        }
        return latencies;
    }

    private static async Task<double> TokensPerSecondAsync(int port, int concurrency, int tokens, CancellationToken ct)
    {
        var request = KeepAliveConnection.Request("/v1/chat/completions", StreamBody);
        var open = new List<StreamConnection>();
        try
        {
            for (var i = 0; i < concurrency; i++) open.Add(await StreamConnection.OpenAsync(port, ct));
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(open.Select(connection => connection.RunAsync(request, ct)));
            return concurrency * tokens / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            open.ForEach(connection => connection.Dispose());
        }
    }

    private static Process StartRouter(int port, int enginePort) =>
        Programs.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "Router.dll"), "--port", $"{port}", "--engine", $"http://127.0.0.1:{enginePort}", "--ctrl-address", "none"]);

    private static Process StartNginx(string folder, int enginePort, out int port)
    {
        port = Programs.FreePort();
        var configuration = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            daemon off; pid {{folder}}/nginx.pid; error_log /dev/null; worker_processes auto;
            events { worker_connections 4096; }
            http {
              access_log off; client_body_temp_path {{folder}}; proxy_temp_path {{folder}}; fastcgi_temp_path {{folder}}; uwsgi_temp_path {{folder}}; scgi_temp_path {{folder}};
              upstream engine { server 127.0.0.1:{{enginePort}}; keepalive 256; }
              server {
                listen 127.0.0.1:{{port}} backlog=4096;
                location / { proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
              }
            }
            """);
        return Programs.Start("nginx", ["-p", folder, "-c", configuration, "-e", "/dev/null"]);
    }

    private static Process? Nothing(out int port)
    {
        port = 0;
        return null;
    }

    private static async Task ReadyAsync(int port, CancellationToken ct)
    {
        using var client = new HttpClient();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                using var response = await client.GetAsync($"http://127.0.0.1:{port}/ready", limit.Token);
                if (response.StatusCode is HttpStatusCode.OK) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(50, limit.Token);
        }
    }
}
