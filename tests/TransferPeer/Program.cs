using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Engine;
using NanoAspire.Engine.Transfer;
using NanoAspire.Native.Rdma.Tcp;
using NanoAspire.Protocol.Wire;
using NanoAspire.TransferPeer;

// source TRANSPORT BLOCKS BLOCK_BYTES DELAY_MS PORT: obeys commands on stdin, one answer a line, and ends with it.
// reader TRANSPORT BLOCKS BLOCK_BYTES: pulls the hand-off that stands on the first line.
var transportName = args[1];
var blocks = int.Parse(args[2], CultureInfo.InvariantCulture);
var blockBytes = int.Parse(args[3], CultureInfo.InvariantCulture);
return args[0] == "source" ? await SourceAsync() : await ReaderAsync();

async Task<int> SourceAsync()
{
    var delay = TimeSpan.FromMilliseconds(int.Parse(args[4], CultureInfo.InvariantCulture));
    var tcp = new TcpTransportOptions { Port = int.Parse(args[5], CultureInfo.InvariantCulture), FrameBytes = 64 << 10 };
    using var memory = new PatternMemory(blocks, blockBytes, seed: 1, ucx: transportName == "ucx");
    await using var transport = new SlowTransport(KvTransports.Create(transportName, tcp, TimeProvider.System, NullLoggerFactory.Instance), delay);
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
    await using var transport = KvTransports.Create(transportName, new() { FrameBytes = 64 << 10 }, TimeProvider.System, NullLoggerFactory.Instance);
    var puller = new KvPuller(transport, new(), TimeProvider.System, NullLogger<KvPuller>.Instance);
    var ticket = MigrationText.Decode((await Console.In.ReadLineAsync())!)[0];
    using var reservation = new KvReservation([.. Enumerable.Range(0, ticket.Blocks.Length)], cachedBlocks: 0, () => { });
    var tokens = Enumerable.Range(0, ticket.PromptTokens).ToArray();
    var result = await puller.PullAsync(ticket, tokens, reservation, memory, CancellationToken.None);
    Console.WriteLine(result.Bytes);
    return 0;
}
