using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

// source TRANSPORT BLOCKS BLOCK_BYTES DELAY_MS PORT [ADDRESS]: obeys commands on stdin, one answer a line, and ends with it.
// reader TRANSPORT BLOCKS BLOCK_BYTES [FRAME_TIMEOUT_MS]: pulls the hand-offs that stand on stdin, answers with bytes or an error.
// writer TRANSPORT BYTES ADDRESS INCARNATION REGION TOKEN: writes the whole region once.
// agent CTRL ALIAS SEED DELAY_MS: a peer agent that obeys commands on stdin.
// survive: loads UCX and makes mistakes.
if (args[0] == "survive") return Survival.Run();
if (args[0] == "writer") return await Writer.RunAsync(args);
if (args[0] == "agent") return await Agent.RunAsync(args);
var transportName = args[1];
var blocks = int.Parse(args[2], CultureInfo.InvariantCulture);
var blockBytes = int.Parse(args[3], CultureInfo.InvariantCulture);
return args[0] == "source" ? await SourceAsync() : await ReaderAsync();

// As an engine makes it; ucx-imitated is the one that no engine makes: UCX over a network without RDMA.
IKvTransport Create(TcpTransportOptions options) => transportName == "ucx-imitated"
    ? new KvTransport(new UcxTransport(RegionRegistry.Process, options, new() { AcceptImitation = true }, tcpFallback: false, TimeProvider.System, NullLoggerFactory.Instance))
    : KvTransports.Create(transportName, options, TimeProvider.System, NullLoggerFactory.Instance);

async Task<int> SourceAsync()
{
    var delay = TimeSpan.FromMilliseconds(int.Parse(args[4], CultureInfo.InvariantCulture));
    var tcp = new TcpTransportOptions
    {
        Port = int.Parse(args[5], CultureInfo.InvariantCulture),
        BindAddress = args.Length > 6 ? IPAddress.Parse(args[6]) : IPAddress.Loopback,
        FrameBytes = 64 << 10,
    };
    using var memory = new PatternMemory(blocks, blockBytes, seed: 1, ucx: transportName == "ucx");
    await using var transport = new SlowTransport(Create(tcp), delay);
    var options = new HandoffOptions { EngineId = "source", Incarnation = Environment.ProcessId.ToString(CultureInfo.InvariantCulture) };
    await using var table = new HandoffTable(transport, memory, options, TimeProvider.System, NullLogger<HandoffTable>.Instance);
    var released = 0;
    while (await Console.In.ReadLineAsync() is { } line)
    {
        var words = line.Split(' ');
        var number = words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) : 0;
        switch (words[0])
        {
            case "park":
                var tokens = Enumerable.Range(0, (int)number * memory.Layout.BlockSize).ToArray();
                var parked = new ParkedKv([.. Enumerable.Range(0, (int)number)], tokens.Length, () => Interlocked.Increment(ref released));
                var ticket = await table.ParkAsync(parked, tokens, new SampledToken(42), firstFinishReason: null, CancellationToken.None);
                Console.WriteLine(MigrationText.Encode([ticket]));
                break;
            case "free":
                Console.WriteLine(table.Free([number]).Freed.Count);
                break;
            case "corrupt":
                memory.Block((int)number)[blockBytes / 2] ^= 1;
                Console.WriteLine("ok");
                break;
            case "requests":
                Console.WriteLine(transport.Requests);
                break;
            case "withdraw":
                await table.DisposeAsync();
                Console.WriteLine("ok");
                break;
            case "released":
                Console.WriteLine(Volatile.Read(ref released));
                break;
            default:
                Console.WriteLine($"unknown command {line}");
                break;
        }
    }
    return 0;
}

async Task<int> ReaderAsync()
{
    using var memory = new PatternMemory(blocks, blockBytes);
    var timeout = TimeSpan.FromMilliseconds(args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : 5000);
    await using var transport = Create(new() { FrameBytes = 64 << 10, FrameTimeout = timeout, ConnectTimeout = TimeSpan.FromSeconds(Math.Max(5, timeout.TotalSeconds)) });
    var pull = new KvPullOptions { Deadline = TimeSpan.FromSeconds(Math.Max(10, 2 * timeout.TotalSeconds)) };
    var puller = new KvPuller(transport, pull, TimeProvider.System, NullLogger<KvPuller>.Instance);
    while (await Console.In.ReadLineAsync() is { } line)
    {
        var ticket = MigrationText.Decode(line)[0];
        using var reservation = new KvReservation([.. Enumerable.Range(0, ticket.Blocks.Length)], cachedBlocks: 0, () => { });
        var tokens = Enumerable.Range(0, ticket.PromptTokens).ToArray();
        try
        {
            var result = await puller.PullAsync(ticket, tokens, reservation, memory, CancellationToken.None);
            Console.WriteLine(result.Bytes);
        }
        catch (KvTransferException e)
        {
            Console.WriteLine(e.Code);
        }
    }
    return 0;
}
