using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>The other side of a transfer in a process of its own, to be killed, stopped and restarted.</summary>
internal sealed partial class PeerProcess : IAsyncDisposable
{
    public const int Kill = 9, Continue = 18, Stop = 19;

    private readonly Process _process;

    public PeerProcess(params object[] arguments) : this([], null, arguments)
    {
    }

    /// <param name="prefix">A command that runs another one, such as <c>ip netns exec NAME</c>.</param>
    /// <param name="ucxTransports">For <c>UCX_TLS</c>.</param>
    /// <param name="arguments">Of the peer.</param>
    public PeerProcess(string[] prefix, string? ucxTransports, params object[] arguments)
    {
        var start = new ProcessStartInfo(prefix.Length > 0 ? prefix[0] : "dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var word in prefix.Skip(1)) start.ArgumentList.Add(word);
        if (prefix.Length > 0) start.ArgumentList.Add("dotnet");
        if (ucxTransports is not null) start.Environment["UCX_TLS"] = ucxTransports;
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "TransferPeer.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(Convert.ToString(argument, CultureInfo.InvariantCulture)!);
        _process = Process.Start(start)!;
    }

    public async Task<string> AskAsync(string command)
    {
        await WriteAsync(command);
        return await ReadAsync();
    }

    public Task WriteAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    public async Task<string> ReadAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(Slowness.Seconds(60)) ?? throw new InvalidOperationException("the peer process has ended");

    public async Task<HandoffTicket> ParkAsync(int blocks) => MigrationText.Decode(await AskAsync($"park {blocks}"))[0];

    public static string Text(HandoffTicket ticket) => MigrationText.Encode([ticket]);

    public async Task<int> AskNumberAsync(string command) => int.Parse(await AskAsync(command), CultureInfo.InvariantCulture);

    /// <summary>Of the file behind the process's KV memory.</summary>
    public string ArenaName() =>
        File.ReadLines($"/proc/{_process.Id}/maps").SelectMany(static line => line.Split(' ')).First(static word => word.Contains("nanoaspire-", StringComparison.Ordinal));

    /// <summary>Sockets that the process has open.</summary>
    public int Sockets => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Count(static fd => new FileInfo(fd).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Slowness.Seconds(60));
        return _process.ExitCode;
    }

    public void Signal(int signal) => Assert.Equal(0, kill(_process.Id, signal));

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
