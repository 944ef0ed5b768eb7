using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>A prefill side and a decode side in one process.</summary>
internal sealed class TransferRig : IAsyncDisposable
{
    public TransferRig(
        string transport = "loopback", TimeProvider? time = null, HandoffOptions? options = null, int blocks = 32,
        Func<IKvTransport, IKvTransport>? decodeTransport = null, Func<IKvTransport, IKvTransport>? prefillTransport = null, KvPullOptions? pull = null, int stateBlocks = 0)
    {
        Time = time ?? TimeProvider.System;
        From = new(blocks, seed: 1, stateBlocks: stateBlocks);
        To = new(blocks, stateBlocks: stateBlocks);
        prefillTransport ??= static t => t;
        decodeTransport ??= static t => t;
        Prefill = prefillTransport(Create(transport));
        Decode = decodeTransport(Create(transport));
        Table = new(Prefill, From, options ?? new HandoffOptions { EngineId = "prefill-0", Incarnation = "i1" }, Time, NullLogger<HandoffTable>.Instance);
        Puller = new(Decode, pull ?? new KvPullOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }, Time, NullLogger<KvPuller>.Instance);
    }

    public TimeProvider Time { get; }
    public PatternMemory From { get; }
    public PatternMemory To { get; }
    public IKvTransport Prefill { get; }
    public IKvTransport Decode { get; }
    public HandoffTable Table { get; }
    public KvPuller Puller { get; }
    public int Released;

    public static IKvTransport Create(string transport) =>
        KvTransports.Create(transport, new() { FrameBytes = 16 << 10, FrameTimeout = TimeSpan.FromSeconds(20) }, TimeProvider.System, NullLoggerFactory.Instance);

    public static int[] Tokens(int count) => [.. Enumerable.Range(100, count)];

    public ParkedKv Parked(int[] blocks, int tokens) => new(blocks, tokens, () => Interlocked.Increment(ref Released));

    /// <summary>Parks a prompt in <paramref name="blocks"/>, its state in the last ones; the last one of the prompt is not full.</summary>
    public Task<HandoffTicket> ParkAsync(params int[] blocks)
    {
        var tokens = Tokens((blocks.Length - From.Layout.StateBlocks) * From.Layout.BlockSize - 3);
        return Table.ParkAsync(Parked(blocks, tokens.Length), tokens, new SampledToken(5), firstFinishReason: null, default);
    }

    public async Task<KvPullResult> PullAsync(HandoffTicket ticket, int[] local, int cached = 0, CancellationToken cancellationToken = default)
    {
        using var reservation = new KvReservation(local, cached, static () => { });
        return await Puller.PullAsync(ticket, Tokens(ticket.PromptTokens), reservation, To, cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
    }

    public async Task<string> FailAsync(HandoffTicket ticket, params int[] local) =>
        (await Assert.ThrowsAsync<KvTransferException>(() => PullAsync(ticket, local))).Code;

    public async ValueTask DisposeAsync()
    {
        await Table.DisposeAsync();
        await Decode.DisposeAsync();
        await Prefill.DisposeAsync();
        From.Dispose();
        To.Dispose();
    }
}
