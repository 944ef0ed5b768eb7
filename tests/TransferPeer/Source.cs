using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.TransferPeer;

/// <summary>The prefill side of hand-offs.</summary>
internal static class Source
{
    public static async Task<int> RunAsync(string[] args)
    {
        var (blocks, blockBytes) = (args.Int(2), args.Int(3));
        var tcp = new TcpTransportOptions
        {
            Port = args.Int(5),
            BindAddress = args.Length > 6 ? IPAddress.Parse(args[6]) : IPAddress.Loopback,
            FrameBytes = 64 << 10,
        };
        using var memory = new PatternMemory(blocks, blockBytes, seed: 1, ucx: args[1] == "ucx");
        await using var transport = new SlowTransport(new KvTransport(Transports.Create(args[1], tcp)), TimeSpan.FromMilliseconds(args.Int(4)));
        var options = new HandoffOptions { EngineId = "source", Incarnation = Environment.ProcessId.ToString(CultureInfo.InvariantCulture) };
        await using var table = new HandoffTable(transport, memory, options, TimeProvider.System, NullLogger<HandoffTable>.Instance);
        var released = 0;
        return await CommandLoop.RunAsync(async words =>
        {
            switch (words[0])
            {
                case "park":
                    var tokens = Enumerable.Range(0, words.Int(1) * memory.Layout.BlockSize).ToArray();
                    var parked = new ParkedKv([.. Enumerable.Range(0, words.Int(1))], tokens.Length, () => Interlocked.Increment(ref released));
                    var ticket = await table.ParkAsync(parked, tokens, new SampledToken(42), firstFinishReason: null, CancellationToken.None);
                    return MigrationText.Encode([ticket]);
                case "free":
                    return table.Free([words.Long(1)]).Freed.Count;
                case "delay":
                    transport.Delay = TimeSpan.FromMilliseconds(words.Int(1));
                    return "ok";
                case "corrupt":
                    memory.Block(words.Int(1))[blockBytes / 2] ^= 1;
                    return "ok";
                case "digest":
                    return memory.Digest();
                case "requests":
                    return transport.Requests;
                case "withdraw":
                    await table.DisposeAsync();
                    return "ok";
                case "released":
                    return Volatile.Read(ref released);
                default:
                    return $"unknown command {words[0]}";
            }
        }, () => [("leases", table.ParkedCount)]);
    }
}
