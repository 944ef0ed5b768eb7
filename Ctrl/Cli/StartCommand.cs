using System.CommandLine;
using System.Diagnostics;
using System.Net;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Runs the service in the background and waits until it answers.</summary>
internal sealed class StartCommand
{
    private const int LogLines = 80;
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(0.8);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private readonly ServerFlags _flags = new();
    private readonly Option<string?> _healthHost = new("--health-host", "--health_host") { Description = "Host to probe (default: the bind host)" };
    private readonly Option<int?> _healthPort = new("--health-port", "--health_port") { Description = "Port to probe (default: the bind port)" };
    private readonly Option<string?> _logFile = new("--log-file", "--log_file") { Description = "Where the server's output goes (default: in the runtime folder)" };
    private readonly Option<double> _wait = new("--wait") { Description = "Seconds to wait for an answer", DefaultValueFactory = _ => 8.0 };

    public static Command Create()
    {
        var start = new StartCommand();
        var command = new Command("start", "Run the control plane in the background") { start._healthHost, start._healthPort, start._logFile, start._wait };
        start._flags.AddTo(command);
        command.SetAction(start.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var host = parsed.GetValue(_flags.Host) ?? IPAddress.Loopback.ToString();
        var port = parsed.GetValue(_flags.Port) ?? CtrlOptions.DefaultPort;
        if (port is < 1 or > ushort.MaxValue) return ServerCommand.Fail($"--port: {port} cannot be probed", ExitCodes.Usage);
        var wait = parsed.GetValue(_wait);
        if (!double.IsFinite(wait) || wait < 0) return ServerCommand.Fail("--wait: expected seconds", ExitCodes.Usage);
        var access = parsed.GetValue(_healthHost) ?? (host is "0.0.0.0" or "::" or "*" ? IPAddress.Loopback.ToString() : host);
        var address = $"http://{(access.Contains(':') && !access.StartsWith('[') ? $"[{access}]" : access)}:{parsed.GetValue(_healthPort) ?? port}";

        var files = RuntimeFiles.FromEnvironment();
        using var guard = files.TryLock();
        if (guard is null) return ServerCommand.Fail($"another nanoctrl start or stop is at work in {files.Folder}", ExitCodes.Failure);
        if (files.Read() is { } running)
        {
            if (running.IsAlive)
            {
                Console.WriteLine($"nanoctrl already running (pid={running.Pid})");
                return ExitCodes.Ok;
            }
            files.Remove();
        }
        if (await HealthProbe.CheckAsync(address, ProbeTimeout, ct) is null)
        {
            Console.WriteLine($"nanoctrl already running at {address}");
            return ExitCodes.Ok;
        }
        var log = Path.GetFullPath(parsed.GetValue(_logFile) ?? files.DefaultLog);
        var command = ServerCommandLine(parsed, host, port);
        var offset = File.Exists(log) ? new FileInfo(log).Length : 0;
        using var child = Spawn(command, log);
        files.Write(new InstanceMeta
        {
            Pid = child.Id,
            Address = address,
            Cmd = command,
            Log = log,
            StartedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            StartMark = ProcessIdentity.StartMark(child.Id),
        });
        return await WaitAsync(child, files, address, log, offset, TimeSpan.FromSeconds(wait), ct);
    }

    private static async Task<int> WaitAsync(Process child, RuntimeFiles files, string address, string log, long offset, TimeSpan wait, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (child.HasExited)
            {
                files.Remove();
                WriteLogTail(log, offset);
                return ServerCommand.Fail($"the server ended with exit code {child.ExitCode}", ExitCodes.Failure);
            }
            if (await HealthProbe.CheckAsync(address, ProbeTimeout, ct) is not { } down)
            {
                Console.WriteLine($"nanoctrl started (pid={child.Id})\naddress: {address}\nlog: {log}");
                return ExitCodes.Ok;
            }
            if (Stopwatch.GetElapsedTime(started) >= wait)
            {
                Console.WriteLine($"nanoctrl started (pid={child.Id})\naddress: {address}\nlog: {log}");
                WriteLogTail(log, offset);
                return ServerCommand.Fail($"no answer at {address} within {wait.TotalSeconds} s: {down}", ExitCodes.Unhealthy);
            }
            await Task.Delay(PollInterval, ct);
        }
    }

    /// <summary>Secrets travel by environment, where other users of the machine cannot read them.</summary>
    private string[] ServerCommandLine(ParseResult parsed, string host, int port)
    {
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is unknown");
        var command = new List<string> { self };
        if (Path.GetFileNameWithoutExtension(self) == "dotnet") command.Add(typeof(StartCommand).Assembly.Location);
        command.AddRange(["server", "--host", host, "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        if (parsed.GetValue(_flags.RedisAdvertise) is { } advertise) command.AddRange(["--redis-advertise", advertise]);
        if (parsed.GetValue(_flags.ScopeTokens) is { Length: > 0 } pairs) Environment.SetEnvironmentVariable("NANOCTRL_SCOPE_TOKENS", string.Join(';', pairs));
        if (parsed.GetValue(_flags.RedisUrl) is { } redis) Environment.SetEnvironmentVariable("ConnectionStrings__redis", redis);
        if (parsed.GetValue(_flags.Token) is { } token) Environment.SetEnvironmentVariable("NANOCTRL_TOKEN", token);
        return [.. command];
    }

    /// <summary>In a session of its own, so that the terminal's end does not reach it; output appended to the log.</summary>
    private static Process Spawn(string[] command, string log)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        var start = new ProcessStartInfo { UseShellExecute = false };
        if (OperatingSystem.IsWindows())
        {
            start.FileName = "cmd.exe";
            start.CreateNoWindow = true;
            start.Arguments = $"/d /s /c \"{string.Join(' ', command.Select(c => $"\"{c}\""))} >> \"{log}\" 2>&1 < NUL\"";
        }
        else
        {
            start.FileName = "/bin/sh";
            foreach (var argument in (string[])["-c", "log=$1; shift; exec >>\"$log\" 2>&1 </dev/null; if command -v setsid >/dev/null; then exec setsid \"$@\"; else exec \"$@\"; fi", "sh", log, .. command])
                start.ArgumentList.Add(argument);
        }
        return Process.Start(start) ?? throw new InvalidOperationException("The server process did not start");
    }

    private static void WriteLogTail(string log, long offset)
    {
        using var stream = new FileStream(log, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(Math.Min(offset, stream.Length), SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        foreach (var line in reader.ReadToEnd().Split('\n').Where(l => l.Length > 0).TakeLast(LogLines)) Console.Error.WriteLine(line);
    }
}
