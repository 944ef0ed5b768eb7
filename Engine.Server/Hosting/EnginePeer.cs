using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NanoAspire.Ctrl.Client;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Peers;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>
/// The engine as a peer: an agent over the engine's own transport that publishes its KV region (guarded by the hand-offs' leases) and its
/// cards, and on a decode engine keeps connections to the prefill engines it may be handed sequences by, so that the first hand-off finds
/// one. Nothing depends on it: what fails is logged and tried again, and a hand-off brings its own addresses.
/// </summary>
internal sealed class EnginePeer(
    CtrlClient ctrl, EngineDirectory directory, ServedModel model, Func<EngineDescriptor> describe,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<EnginePeer> logger, ILogger<PeerAgent> agentLogger) : BackgroundService
{
    public const string KvRegion = "kv_cache";
    private const int MaxPeers = 256;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LastRetry = TimeSpan.FromSeconds(30), LookAgain = TimeSpan.FromSeconds(1);

    private volatile PeerAgent? _agent;

    /// <summary>Null while there is none.</summary>
    public PeerAgent? Agent => _agent;

    /// <summary>The one rank of an engine.</summary>
    public static string Alias(string engineId) => engineId + ":0";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (model.Transport is not KvTransport { Transport: { Name: not "loopback" } transport }) return;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await StartedAsync(stopping.Token);
            for (var retry = FirstRetry; ; retry = retry * 2 < LastRetry ? retry * 2 : LastRetry)
            {
                try
                {
                    await ServeAsync(transport, describe(), () => retry = FirstRetry, stopping.Token);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    Log.PeerFailed(logger, e.Message, retry.TotalSeconds);
                }
                await Task.Delay(retry, time, stopping.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    /// <summary>One life of the agent; ends when its name is another one's.</summary>
    private async Task ServeAsync(ITransport transport, EngineDescriptor self, Action started, CancellationToken ct)
    {
        var options = new PeerAgentOptions { Alias = Alias(self.Id), Host = new Uri(self.Url).Host, MaxPeers = MaxPeers };
        await using var agent = await PeerAgent.StartAsync(ctrl, transport, options, time, agentLogger, ct);
        var memory = model.Runner.KvMemory;
        await agent.RegisterRegionAsync(KvRegion, memory.Address, (ulong)memory.Length, RegionAccess.PeersRead, model.Handoffs, writeGuard: null, ct);
        started();
        _agent = agent;
        try
        {
            string[] wanted = [];
            while (!agent.IsSuperseded)
            {
                var now = Sources(self);
                try
                {
                    if (!now.SequenceEqual(wanted)) await agent.SetDesiredPeersAsync(now, symmetric: false, ct);
                    wanted = now;
                }
                catch (CtrlException) { }                                    // the agent says that it is away; asked again with the next look
                await Task.Delay(LookAgain, time, ct);
            }
        }
        finally
        {
            _agent = null;
        }
    }

    /// <summary>Engines that may hand sequences over to this one.</summary>
    private string[] Sources(EngineDescriptor self) => self.Role != EngineRole.Decode
        ? []
        : [.. directory.Current.Where(e => e.Role == EngineRole.Prefill && e.Id != self.Id && e.KvDigest == self.KvDigest).Select(static e => Alias(e.Id)).Order(StringComparer.Ordinal).Take(MaxPeers)];
}
