using NanoAspire.Native.Rdma;

namespace NanoAspire.TransferPeer;

/// <summary>Writes memory of another process with bytes of one value.</summary>
internal static class Writer
{
    public static async Task<int> RunAsync(string[] args)
    {
        var bytes = args.Long(2);
        var (arena, address) = Transports.Allocate("shm", bytes);
        using var _ = arena;
        var timeout = TimeSpan.FromMilliseconds(args.Int(3));
        await using var transport = Transports.Create(args[1], new() { FrameBytes = 64 << 10, FrameTimeout = timeout, ConnectTimeout = TimeSpan.FromSeconds(Math.Max(5, timeout.TotalSeconds)) });
        var local = transport.Regions.Register("from", address, (ulong)bytes, RegionAccess.Local);
        Native.Rdma.TransferPeer peer = default;
        return await CommandLoop.RunAsync(async words =>
        {
            if (words[0] == "forget")
            {
                transport.Forget(peer);
                return "ok";
            }
            // write VALUE NOTIFICATION|- OFFSET LENGTH ADDRESS INCARNATION REGION TOKEN
            unsafe { new Span<byte>((void*)address, (int)bytes).Fill((byte)words.Int(1)); }
            peer = new(words[5], words.Unsigned(6));
            var remote = RegionId.TryParse(words[7], out var id) ? id : throw new FormatException(words[7]);
            TransferRange range = new() { Remote = remote, RemoteOffset = words.Unsigned(3), Local = local.Id, LocalOffset = 0, Length = words.Unsigned(4) };
            WriteNotification? notification = words[2] == "-" ? null : new(remote, words.Unsigned(2));
            return await transport.WriteAsync(peer, [range], words.Unsigned(8), notification, CancellationToken.None);
        }, static () => []);
    }
}
