using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace NanoAspire.Hosting.Run;

/// <summary>A running child and its output. It leads a process group of its own, which signals go to.</summary>
internal sealed partial class ManagedProcess : IDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int MaxLineLength = 16 * 1024;

    /// <summary>How long output is read after the end: a grandchild that left the group may hold the pipe open for ever.</summary>
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Action? _cleanUp;
    private string? _lastOutput;
    private string? _lastError;

    public ManagedProcess(Process process, ProcessSpec spec, Action<string, bool> onLine)
    {
        _process = process;
        _cleanUp = spec.CleanUp;
        Id = process.Id;
        var output = PumpAsync(process.StandardOutput, line =>
        {
            if (IsTelling(line)) _lastOutput = line;
            onLine(line, false);
        });
        var errors = PumpAsync(process.StandardError, line =>
        {
            if (IsTelling(line)) _lastError = line;
            onLine(line, true);
        });
        Exited = WaitAsync(Task.WhenAll(output, errors));
    }

    public int Id { get; }

    /// <summary>The exit code; 128 + signal when one ended it. Completes after the output was read.</summary>
    public Task<int> Exited { get; }

    /// <summary>The last line written, from standard error where there is one: usually the reason for an early end.</summary>
    public string? LastWords => _lastError ?? _lastOutput;

    /// <summary>Asks the process to end and, when it has not after <paramref name="grace"/>, kills its whole group.</summary>
    public async Task<int> StopAsync(TimeSpan grace, TimeProvider time, CancellationToken ct)
    {
        Signal(SigTerm);
        try
        {
            return await Exited.WaitAsync(grace, time, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Kill();
            return await Exited.ConfigureAwait(false);
        }
    }

    public void Kill() => Signal(SigKill);

    public void Dispose() => _process.Dispose();

    /// <summary>Neither empty nor a frame of a stack trace.</summary>
    private static bool IsTelling(string line) => line.AsSpan().Trim() is { IsEmpty: false } text && !text.StartsWith("at ", StringComparison.Ordinal);

    private async Task<int> WaitAsync(Task output)
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        var code = _process.ExitCode;
        if (!OperatingSystem.IsWindows()) _ = kill(-Id, SigKill);      // what it left behind in its group, and with it their ends of the pipes
        await Task.WhenAny(output, Task.Delay(OutputGrace)).ConfigureAwait(false);
        _cleanUp?.Invoke();
        return code;
    }

    private void Signal(int signal)
    {
        if (Exited.IsCompleted) return;
        if (OperatingSystem.IsWindows())
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            return;
        }
        if (kill(-Id, signal) != 0 && !_process.HasExited) _ = kill(Id, signal);      // still the launcher, before it has made its group
    }

    private static async Task PumpAsync(StreamReader reader, Action<string> onLine)
    {
        var buffer = new char[4096];
        var line = new StringBuilder();
        try
        {
            int read;
            while ((read = await reader.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            {
                foreach (var c in buffer.AsSpan(0, read))
                {
                    if (c == '\n') Flush();
                    else line.Append(c);
                    if (line.Length >= MaxLineLength) Flush();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // the pipe is gone with the process
        }
        if (line.Length > 0) Flush();

        void Flush()
        {
            if (line.Length > 0 && line[^1] == '\r') line.Length--;
            onLine(line.ToString());
            line.Clear();
        }
    }

    [LibraryImport("libc")] private static partial int kill(int pid, int signal);
}
