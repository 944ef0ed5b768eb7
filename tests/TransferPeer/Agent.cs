using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NanoAspire.Ctrl.Client;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Peers;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.TransferPeer;

/// <summary>A peer agent that publishes a region <c>kv</c> of its own content and obeys commands on stdin, one answer a line.</summary>
internal static class Agent
{
    public const int Bytes = 256 << 10;

    public static async Task<int> RunAsync(string[] args)
    {
        var (ctrl, alias) = (args[1], args[2]);
        var seed = int.Parse(args[3], CultureInfo.InvariantCulture);
        var delay = TimeSpan.FromMilliseconds(int.Parse(args[4], CultureInfo.InvariantCulture));
        using var http = new PlainHttp();
        var client = new CtrlClient(http, Options.Create(new CtrlClientOptions { Address = ctrl, Scope = "s" }), TimeProvider.System);
        using var kv = SharedArena.Allocate(Bytes);
        using var into = SharedArena.Allocate(Bytes);
        Content(seed).CopyTo(Span(kv));
        await using var transport = new TcpTransport(new(), new() { FrameBytes = 16 << 10 }, TimeProvider.System, NullLogger<TcpTransport>.Instance);
        var options = new PeerAgentOptions
        {
            Alias = alias, Host = "127.0.0.1", PollInterval = TimeSpan.FromMilliseconds(50), PingInterval = TimeSpan.FromMilliseconds(200),
            HeartbeatInterval = TimeSpan.FromMilliseconds(200), RetryDelay = TimeSpan.FromMilliseconds(20), MaxRetryDelay = TimeSpan.FromMilliseconds(200),
        };
        await using var agent = await PeerAgent.StartAsync(client, transport, options, TimeProvider.System, NullLogger<PeerAgent>.Instance, default);
        await agent.RegisterRegionAsync("kv", kv.Address, Bytes, RegionAccess.PeersRead, delay > TimeSpan.Zero ? new SlowGuard(delay) : null, null, default);
        await agent.RegisterRegionAsync("into", into.Address, Bytes, RegionAccess.Local, null, null, default);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            Console.WriteLine(words[0] switch
            {
                "want" => await WantAsync(agent, words[1].Split(',')),
                "wait" => (await agent.WaitForAsync(words[1], TimeSpan.FromSeconds(30), default)).Target!.Value.Incarnation.ToString("x16", CultureInfo.InvariantCulture),
                "state" => agent.Connections.FirstOrDefault(c => c.Peer == words[1])?.State.ToString() ?? "none",
                "read" => await ReadAsync(agent, words[1], into, int.Parse(words[2], CultureInfo.InvariantCulture)),
                _ => $"unknown command {line}",
            });
        }
        return 0;
    }

    /// <summary>What the region of an agent with this seed holds.</summary>
    public static byte[] Content(int seed)
    {
        var bytes = new byte[Bytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<string> WantAsync(PeerAgent agent, string[] peers)
    {
        await agent.SetDesiredPeersAsync(peers, symmetric: false, default);
        return "ok";
    }

    private static async Task<string> ReadAsync(PeerAgent agent, string peer, SharedArena into, int seed)
    {
        Span(into).Clear();
        try
        {
            await agent.ReadAsync(peer, [new() { Remote = "kv", RemoteOffset = 0, Local = "into", LocalOffset = 0, Length = Bytes }], 0, default);
            return Span(into).SequenceEqual(Content(seed)) ? "ok" : "wrong content";
        }
        catch (TransferException e) { return e.Code.ToString(); }
    }

    private static unsafe Span<byte> Span(SharedArena arena) => new((void*)arena.Address, Bytes);

    private sealed class SlowGuard(TimeSpan delay) : IReadGuard, IDisposable
    {
        public IDisposable? TryPin(ulong token, ReadOnlySpan<SourceRange> ranges)
        {
            Thread.Sleep(delay);
            return this;
        }

        public void Dispose()
        {
        }
    }

    private sealed class PlainHttp : IHttpClientFactory, IDisposable
    {
        private readonly SocketsHttpHandler _handler = new() { UseProxy = false };

        public HttpClient CreateClient(string name) => new(_handler, disposeHandler: false);

        public void Dispose() => _handler.Dispose();
    }
}
