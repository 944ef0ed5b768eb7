using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>The sample application as a program of its own; killed when the test is done with it.</summary>
internal sealed class SampleHost : IDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();

    private SampleHost(Process process)
    {
        Process = process;
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Process Process { get; }
    public IReadOnlyCollection<string> Lines => _lines;

    /// <param name="path">Replaces PATH, to hide the programs of this machine.</param>
    /// <param name="args">Arguments of the host.</param>
    public static SampleHost Start(string? path = null, params string[] args)
    {
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        var assembly = typeof(Projects.Hosting_SampleAppHost).Assembly.Location;
        // A shell's background job ignores interrupts, and its children inherit that; env becomes the host, under the same process id.
        var info = new ProcessStartInfo("env", ["--default-signal=INT", dotnet, assembly, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        if (path is not null) info.Environment["PATH"] = path;
        return new SampleHost(Process.Start(info)!);
    }

    /// <summary>The processes it has started, once there are this many and the last one serves.</summary>
    public async Task<IReadOnlyList<int>> ChildrenAsync(int count)
    {
        await LineAsync(l => l.Contains("sample front starts", StringComparison.Ordinal));
        var all = Directory.GetDirectories($"/proc/{Process.Id}/task").SelectMany(ChildrenOfThread).ToArray();
        Assert.True(all.Length >= count, $"{all.Length} children, expected {count}:\n{string.Join('\n', _lines)}");
        return all;
    }

    private static IEnumerable<int> ChildrenOfThread(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return [];                                           // a thread that ended meanwhile
        }
    }

    public async Task<string> LineAsync(Func<string, bool> predicate)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (_lines.FirstOrDefault(predicate) is { } line) return line;
            if (Process.HasExited || limit.IsCancellationRequested) Assert.Fail($"the host did not print the line:\n{string.Join('\n', _lines)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose()
    {
        if (!Process.HasExited) Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is not null) _lines.Enqueue(line);
    }
}
