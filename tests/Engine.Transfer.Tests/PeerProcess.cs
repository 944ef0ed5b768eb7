using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>The other side of a transfer in a process of its own, to be killed, stopped and restarted.</summary>
internal sealed partial class PeerProcess : IAsyncDisposable
{
    public const int Kill = 9, Continue = 18, Stop = 19;

    /// <summary>For what a process lets go of by itself; UCX asks every second whether a peer still lives.</summary>
    private static readonly TimeSpan Patience = Slowness.Seconds(30);

    private readonly Process _process;
    private readonly string _name;

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
        _name = string.Join(' ', arguments.Take(2));
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

    public bool HasExited => _process.HasExited;

    /// <summary>Processor time that the process has used so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <param name="collected">After a collection, which closes what was forgotten: ask for it only when everything else is as it should be.</param>
    public async Task<ProcessResources> ResourcesAsync(bool collected) => ProcessResources.Parse(await AskAsync(collected ? "resources collected" : "resources now"));

    /// <summary>What it holds once that changes no more and all connections are closed.</summary>
    public async Task<ProcessResources> SettledAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var first = await ResourcesAsync(collected: false);
            await Task.Delay(30);
            var second = await ResourcesAsync(collected: false);
            if (second.IsAsMuchAs(first) && second[ProcessResources.ReaderConnections] + second[ProcessResources.SourceConnections] == 0) return await ResourcesAsync(collected: true);
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"the process '{_name}' does not come to rest: it holds {second}");
        }
    }

    /// <summary>Waits until the process holds no more than it did at the start.</summary>
    public async Task AssertRestoredAsync(ProcessResources start, params string[] except)
    {
        var started = Stopwatch.GetTimestamp();
        for (var collected = false; ; )
        {
            var growth = (await ResourcesAsync(collected)).GrowthSince(start, except);
            if (growth is null && collected) return;
            Assert.True(growth is null || Stopwatch.GetElapsedTime(started) < Patience, $"{Patience.TotalSeconds} s later, the process '{_name}' holds more than at the start: {growth}");
            if (growth is null) collected = true;
            else await Task.Delay(50);
        }
    }

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
