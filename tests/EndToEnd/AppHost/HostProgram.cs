using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NanoAspire.EndToEnd.AppHost;

/// <summary>The host program from outside, as a user starts it.</summary>
internal sealed partial class HostProgram : IDisposable
{
    private const int SigTerm = 15;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();

    private HostProgram(Process process)
    {
        Process = process;
        process.OutputDataReceived += (_, e) => Add(_output, e.Data);
        process.ErrorDataReceived += (_, e) => Add(_errors, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Process Process { get; }
    public IReadOnlyCollection<string> Output => _output;
    public IReadOnlyCollection<string> Errors => _errors;

    public static HostProgram Start(params string[] args)
    {
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        var info = new ProcessStartInfo(dotnet, [typeof(Projects.NanoAspire_AppHost).Assembly.Location, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["ASPNETCORE_URLS"] = "http://localhost:0";        // a developer's own dashboard keeps its port
        return new HostProgram(Process.Start(info)!);
    }

    public async Task<string> LineAsync(Func<string, bool> predicate)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        while (true)
        {
            if (_output.FirstOrDefault(predicate) is { } line) return line;
            if (Process.HasExited || limit.IsCancellationRequested) Assert.Fail($"the host did not print the line:\n{string.Join('\n', _output)}\n{string.Join('\n', _errors)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async Task<int> ExitAsync()
    {
        await Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(90), TestContext.Current.CancellationToken);
        return Process.ExitCode;
    }

    public void AskToEnd() => Assert.Equal(0, kill(Process.Id, SigTerm));

    public void Dispose()
    {
        if (!Process.HasExited) Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }

    private static void Add(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }

    [LibraryImport("libc")] private static partial int kill(int pid, int signal);
}
