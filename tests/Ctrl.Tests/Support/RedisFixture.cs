using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using NanoAspire.Ctrl.Store;
using NanoAspire.Tests;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Tests.Support;

/// <summary>A redis-server of its own on a free port, which tests may flush, freeze, kill and start again.</summary>
public sealed partial class RedisFixture : IAsyncLifetime
{
    private const int SigStop = 19;
    private const int SigContinue = 18;

    private readonly string _folder = Directory.CreateTempSubdirectory("ctrl-redis-").FullName;
    private Process? _server;
    private ConnectionMultiplexer? _raw;

    public int Port { get; private set; }

    public string Url => $"redis://127.0.0.1:{Port}";

    /// <summary>A connection besides the service's, for looking at keys.</summary>
    internal IDatabase Raw => _raw!.GetDatabase();

    internal ISubscriber Subscriber => _raw!.GetSubscriber();

    internal RedisAddress Address => RedisAddress.Parse(Url);

    public async ValueTask InitializeAsync()
    {
        if (!Needs.Redis) return;                                            // the tests skip themselves
        Port = FreePort();
        await StartAsync();
        _raw = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Port},abortConnect=false,allowAdmin=true");
    }

    /// <summary>Starts the server on the same port and folder as before and waits until it answers.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder, "--dbfilename", "dump.rdb"])
            start.ArgumentList.Add(argument);
        _server = Process.Start(start)!;
        _server.OutputDataReceived += (_, _) => { };
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port);
                await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
                var reply = new byte[7];
                await client.GetStream().ReadExactlyAsync(reply);
                if (reply[0] == '+') return;
            }
            catch (SocketException) when (attempt < 200) { }
            catch (IOException) when (attempt < 200) { }
            await Task.Delay(25);
        }
    }

    /// <summary>Ends the server at once, as a crash does.</summary>
    public async Task KillAsync()
    {
        _server!.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
    }

    public Task SaveAsync() => Raw.ExecuteAsync("SAVE");

    public void DeleteData() => File.Delete(Path.Combine(_folder, "dump.rdb"));

    /// <summary>The server stops answering while its sockets stay open: what a partition looks like from here.</summary>
    public void Freeze() => Assert.Equal(0, Kill(_server!.Id, SigStop));

    public void Thaw() => Assert.Equal(0, Kill(_server!.Id, SigContinue));

    public Task FlushAsync() => Raw.ExecuteAsync("FLUSHALL");

    public async ValueTask DisposeAsync()
    {
        _raw?.Dispose();
        if (_server is { HasExited: false })
        {
            _ = Kill(_server.Id, SigContinue);
            await KillAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
