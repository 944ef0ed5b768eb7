using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma;
using NanoAspire.Native.Rdma.SharedMemory;
using NanoAspire.Native.Rdma.Tcp;

namespace NanoAspire.TransferPeer;

/// <summary>Writes a region of another process.</summary>
internal static class Writer
{
    public static async Task<int> RunAsync(string[] args)
    {
        var bytes = long.Parse(args[2], CultureInfo.InvariantCulture);
        var peer = new Native.Rdma.TransferPeer(args[3], ulong.Parse(args[4], CultureInfo.InvariantCulture));
        if (!RegionId.TryParse(args[5], out var remote)) return 2;
        var options = new TcpTransportOptions { FrameBytes = 64 << 10, FrameTimeout = TimeSpan.FromSeconds(60) };
        using var arena = SharedArena.Allocate(bytes);
        unsafe { new Span<byte>((void*)arena.Address, (int)bytes).Fill(0xAB); }
        var regions = new RegionRegistry();
        await using ITransport transport = args[1] == "tcp"
            ? new TcpTransport(regions, options, TimeProvider.System, NullLogger<TcpTransport>.Instance)
            : new SharedMemoryTransport(regions, options, tcpFallback: false, copyThreads: 1, TimeProvider.System, NullLoggerFactory.Instance);
        var local = regions.Register("from", arena.Address, (ulong)bytes, RegionAccess.Local);
        TransferRange whole = new() { Remote = remote, RemoteOffset = 0, Local = local.Id, LocalOffset = 0, Length = (ulong)bytes };
        var token = ulong.Parse(args[6], CultureInfo.InvariantCulture);
        Console.WriteLine(await transport.WriteAsync(peer, [whole], token, new WriteNotification(remote, 1), CancellationToken.None));
        return 0;
    }
}
