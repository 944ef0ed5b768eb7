using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NanoAspire.Ctrl.Client;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;

namespace NanoAspire.Native.Rdma.Peers.Tests;

/// <summary>An agent with a transport of its own, as a process would have it. It can be cut off from the control plane.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly CuttableHttp _http;
    private bool _dead;

    private Node(PeerAgent agent, ITransport transport, CuttableHttp http)
    {
        (Agent, Transport, _http) = (agent, transport, http);
        agent.ConnectionChanged += Changes.Enqueue;
    }

    public PeerAgent Agent { get; }
    public ITransport Transport { get; }
    public ConcurrentQueue<PeerConnection> Changes { get; } = new();
    public bool IsCut { set => _http.IsCut = value; }

    /// <summary>What the control plane seems to answer; null where it is to answer itself.</summary>
    public Func<HttpRequestMessage, Task<HttpResponseMessage>?>? Intercept { set => _http.Intercept = value; }

    public static async Task<Node> StartAsync(
        string ctrl, string? alias, string transport = "tcp", int port = 0, Func<HttpRequestMessage, Task<HttpResponseMessage>?>? intercept = null, ITransport? with = null,
        TimeSpan? report = null, NicOptions? nics = null)
    {
        var http = new CuttableHttp { Intercept = intercept };
        var client = new CtrlClient(http, Options.Create(new CtrlClientOptions { Address = ctrl, Scope = "s" }), TimeProvider.System);
        var made = with ?? Create(transport, port);
        try
        {
            var options = new PeerAgentOptions
            {
                Alias = alias, Host = "127.0.0.1", PollInterval = TimeSpan.FromMilliseconds(50), PingInterval = TimeSpan.FromMilliseconds(200),
                RetryDelay = TimeSpan.FromMilliseconds(20), MaxRetryDelay = TimeSpan.FromMilliseconds(200), ConnectTimeout = TimeSpan.FromSeconds(20),
                ReportInterval = report, Nics = nics ?? new(),
            };
            return new(await PeerAgent.StartAsync(client, made, options, TimeProvider.System, NullLogger<PeerAgent>.Instance, default), made, http);
        }
        catch
        {
            await made.DisposeAsync();
            http.Dispose();
            throw;
        }
    }

    /// <summary>The process is gone: nothing is signed off, nothing answers.</summary>
    public async Task DieAsync()
    {
        _dead = true;
        IsCut = true;
        await Transport.DisposeAsync();
        await Agent.DisposeAsync();
    }

    public Task<PeerConnection> ConnectedAsync(string peer) => Agent.WaitForAsync(peer, TimeSpan.FromSeconds(30), default);

    public async ValueTask DisposeAsync()
    {
        if (!_dead)
        {
            await Agent.DisposeAsync();
            await Transport.DisposeAsync();
        }
        _http.Dispose();
    }

    public static ITransport Create(string name, int port)
    {
        var regions = new RegionRegistry();
        var tcp = new TcpTransportOptions { Port = port, FrameTimeout = TimeSpan.FromSeconds(20) };
        return name switch
        {
            "tcp" => new TcpTransport(regions, tcp, TimeProvider.System, NullLogger<TcpTransport>.Instance),
            "shm" => new SharedMemoryTransport(regions, tcp, tcpFallback: false, copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance),
            "ucx" => new UcxTransport(regions, tcp, new(), tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance),
            _ => new AutoTransport(regions, tcp, new(), copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance),
        };
    }

    private sealed class CuttableHttp : DelegatingHandler, IHttpClientFactory
    {
        public CuttableHttp() : base(new SocketsHttpHandler { UseProxy = false })
        {
        }

        public bool IsCut { get; set; }
        public Func<HttpRequestMessage, Task<HttpResponseMessage>?>? Intercept { get; set; }

        public HttpClient CreateClient(string name) => new(this, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            IsCut ? Task.FromException<HttpResponseMessage>(new HttpRequestException("cut off"))
            : Intercept?.Invoke(request) is { } answer ? answer : base.SendAsync(request, cancellationToken);
    }
}
