using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>One of our executables as a real process on a free port. Disposing kills what is left of it.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    public const int Stop = 19, Continue = 18, Terminate = 15, Kill = 9;

    private static readonly string Configuration = typeof(ServiceProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == "Configuration").Value!;

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private ServiceProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(90) };
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }
    public HttpClient Http { get; }
    public bool HasExited => _process.HasExited;
    public string Log { get { lock (_log) return _log.ToString(); } }

    public static string Dll(string project) => Path.Combine(RepositoryPaths.Root, project, "bin", Configuration, "net10.0", project + ".dll");

    /// <summary>Starts <c>project arguments --port N</c> and waits until <c>/health</c> answers.</summary>
    public static async Task<ServiceProcess> StartAsync(string project, IEnumerable<string> arguments, int? port = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var chosen = port ?? FreePort();
        var start = Start(project, [.. arguments, "--port", chosen.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var service = new ServiceProcess(Process.Start(start)!, chosen);
        for (var i = 0; i < 600; i++)
        {
            if (service.HasExited) throw new InvalidOperationException($"{project} exited with {service._process.ExitCode}:\n{service.Log}");
            try
            {
                using var response = await service.Http.GetAsync("/health");
                if (response.IsSuccessStatusCode) return service;
            }
            catch (HttpRequestException) { /* not listening yet */ }
            await Task.Delay(100);
        }
        var log = service.Log;
        await service.DisposeAsync();
        throw new TimeoutException($"{project} did not become healthy:\n{log}");
    }

    /// <summary>Runs to the end: exit code, standard output, standard error.</summary>
    public static async Task<(int ExitCode, string Out, string Error)> RunAsync(string project, params string[] arguments)
    {
        using var process = Process.Start(Start(project, arguments))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try { await process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException) { process.Kill(entireProcessTree: true); throw new TimeoutException($"{project} {string.Join(' ', arguments)} did not end"); }
        return (process.ExitCode, await output, await error);
    }

    public void Signal(int signal) => Assert.Equal(0, kill(_process.Id, signal));

    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async Task<JsonNode> PostAsync(string path, object body, int expected = 200)
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == expected, $"{path} answered {(int)response.StatusCode}: {text}\n{Log}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The value of a Prometheus sample whose name and labels contain all of <paramref name="parts"/>; null when there is none.</summary>
    public async Task<double?> MetricAsync(params string[] parts)
    {
        var text = await Http.GetStringAsync("/metrics");
        return text.Split('\n')
            .Where(line => !line.StartsWith('#') && Array.TrueForAll(parts, part => line.Contains(part, StringComparison.Ordinal)))
            .Select(line => (double?)double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture))
            .FirstOrDefault();
    }

    /// <summary>A port below those that the system gives out by itself, so that nobody is given it before the process listens.</summary>
    public static int FreePort()
    {
        for (var attempt = 0; ; attempt++)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(10_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException) when (attempt < 100)
            {
                // taken: the next one
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static ProcessStartInfo Start(string project, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add(Dll(project));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment.Remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        start.Environment["OTEL_SERVICE_NAME"] = project.ToLowerInvariant();
        return start;
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_log) if (_log.Length < 1 << 20) _log.AppendLine(line);
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
