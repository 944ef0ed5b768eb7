using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NanoAspire.Hosting.Run;

/// <summary>
/// Starts processes that cannot outlive this one. On Linux each child is first the launcher, which asks the kernel to be killed when
/// its parent ends and then becomes the program. The kernel takes "parent" to be the thread that forked, so all children are forked by
/// one thread that lives as long as the starter.
/// </summary>
internal sealed class ProcessStarter : IDisposable
{
    private readonly BlockingCollection<Action> _work = new(boundedCapacity: 256);
    private readonly string _launcher;
    private readonly string _dotnet = FindDotnet();

    public ProcessStarter()
    {
        var folder = Path.GetDirectoryName(typeof(ProcessStarter).Assembly.Location);
        _launcher = Path.Combine(string.IsNullOrEmpty(folder) ? AppContext.BaseDirectory : folder, "NanoAspire.Launcher.dll");
        new Thread(Work) { IsBackground = true, Name = "process starter" }.Start();
    }

    /// <summary>The muxer that runs this process, also when an application host started it.</summary>
    public string Dotnet => _dotnet;

    /// <param name="spec">What to start.</param>
    /// <param name="onLine">Gets each line of output; true for standard error.</param>
    /// <exception cref="DistributedApplicationException">The program does not exist or cannot be executed.</exception>
    public Task<ManagedProcess> StartAsync(ProcessSpec spec, Action<string, bool> onLine)
    {
        var started = new TaskCompletionSource<ManagedProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                started.SetResult(new ManagedProcess(Fork(spec), spec, onLine));
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException or DistributedApplicationException)
            {
                started.SetException(new DistributedApplicationException($"cannot start '{spec.FileName}': {e.Message}", e));
            }
        });
        return started.Task;
    }

    /// <summary>Ends the thread, and with it any child that is still there.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Work()
    {
        foreach (var action in _work.GetConsumingEnumerable()) action();
    }

    private Process Fork(ProcessSpec spec)
    {
        if (!Directory.Exists(spec.WorkingDirectory)) throw new DistributedApplicationException($"the working directory '{spec.WorkingDirectory}' does not exist");
        var program = ExecutablePath.Find(spec.FileName, spec.WorkingDirectory) ?? throw new DistributedApplicationException("no such program on the PATH");
        var info = new ProcessStartInfo
        {
            WorkingDirectory = spec.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        if (OperatingSystem.IsWindows())
        {
            info.FileName = program;
        }
        else
        {
            info.FileName = _dotnet;
            info.ArgumentList.Add("exec");
            info.ArgumentList.Add(_launcher);
            info.ArgumentList.Add(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            info.ArgumentList.Add(program);
        }
        foreach (var argument in spec.Arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in spec.Environment) info.Environment[name] = value;

        var process = Process.Start(info) ?? throw new InvalidOperationException("no process was started");
        if (spec.StandardInput.Length > 0) process.StandardInput.Write(spec.StandardInput);
        process.StandardInput.Close();
        return process;
    }

    private static string FindDotnet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }
}
