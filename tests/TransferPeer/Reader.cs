using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.TransferPeer;

/// <summary>The decode side of hand-offs, and what is below it.</summary>
internal sealed class Reader(ITransport transport, KvTransport kv, KvPullOptions pull, PatternMemory memory)
{
    private const int SmallBytes = 64;

    /// <summary>For reads of bytes rather than of blocks.</summary>
    private readonly MemoryRegion _whole = transport.Regions.Register("whole", memory.Address, (ulong)memory.All.Length, RegionAccess.Local);
    private HandoffTicket? _last;
    private int _retries;

    public static async Task<int> RunAsync(string[] args)
    {
        using var memory = new PatternMemory(args.Int(2), args.Int(3));
        var timeout = TimeSpan.FromMilliseconds(args.Length > 4 ? args.Int(4) : 5000);
        var transport = Transports.Create(args[1], new() { FrameBytes = 64 << 10, FrameTimeout = timeout, ConnectTimeout = TimeSpan.FromSeconds(Math.Max(5, timeout.TotalSeconds)) });
        await using var kv = new KvTransport(transport);
        var pull = new KvPullOptions { Deadline = TimeSpan.FromSeconds(Math.Max(10, 8 * timeout.TotalSeconds)) };
        return await CommandLoop.RunAsync(new Reader(transport, kv, pull, memory).AnswerAsync, static () => []);
    }

    private async Task<object> AnswerAsync(string[] words)
    {
        switch (words[0])
        {
            case "small":
                return await ReadManyAsync(words.Int(1), Use(words[2]));
            case "range":
                return await ReadAsync(Use(words[3]), words.Unsigned(1), 0, words.Unsigned(2));
            case "forget":
                transport.Forget(Peer(_last!));
                return "ok";
            case "path":
                return kv.PathTo(_last!.Source);
            case "retries":
                return _retries;
            case "digest":
                return memory.Digest();
            case "fill":
                memory.All.Fill((byte)words.Int(1));
                return "ok";
            case "filled":
                return !memory.All.ContainsAnyExcept((byte)words.Int(1));
            default:
                return await PullAsync(Use(words[0]));
        }
    }

    private HandoffTicket Use(string ticket) => _last = MigrationText.Decode(ticket)[0];

    private async Task<object> PullAsync(HandoffTicket ticket)
    {
        using var reservation = new KvReservation([.. Enumerable.Range(0, ticket.Blocks.Length)], cachedBlocks: 0, static () => { });
        var tokens = Enumerable.Range(0, ticket.PromptTokens).ToArray();
        var puller = new KvPuller(kv, pull, TimeProvider.System, NullLogger<KvPuller>.Instance);
        try
        {
            var result = await puller.PullAsync(ticket, tokens, reservation, memory, CancellationToken.None);
            _retries = result.Retries;
            return result.Bytes;
        }
        catch (KvTransferException e)
        {
            return e.Code;
        }
    }

    /// <summary>Reads all of the source's memory, scattered, in pieces that are all under way at once.</summary>
    private async Task<object> ReadManyAsync(int count, HandoffTicket ticket)
    {
        var pieces = Enumerable.Range(0, count).Select(i => (ulong)i * 7919 % (ulong)count * SmallBytes);
        return (await Task.WhenAll(pieces.Select(at => ReadAsync(ticket, at, at, SmallBytes)))).Sum();
    }

    private Task<long> ReadAsync(HandoffTicket ticket, ulong offset, ulong localOffset, ulong length)
    {
        var region = RegionId.TryParse(ticket.Source.Region, out var id) ? id : throw new FormatException(ticket.Source.Region);
        TransferRange range = new() { Remote = region, RemoteOffset = offset, Local = _whole.Id, LocalOffset = localOffset, Length = length };
        return transport.ReadAsync(Peer(ticket), [range], (ulong)ticket.SeqId, CancellationToken.None);
    }

    private static Native.Rdma.TransferPeer Peer(HandoffTicket ticket) =>
        new(ticket.Source.Address, ulong.Parse(ticket.Source.Incarnation, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
}
