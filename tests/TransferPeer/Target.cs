using NanoAspire.Native.Rdma;

namespace NanoAspire.TransferPeer;

/// <summary>Owns memory that peers write.</summary>
internal static class Target
{
    public static async Task<int> RunAsync(string[] args)
    {
        var bytes = args.Long(2);
        var (arena, address) = Transports.Allocate(args[1], bytes);
        using var _ = arena;
        using var guard = new StallingGuard();
        // A reader's pin would end soon; a writer's must not.
        await using var transport = Transports.Create(args[1], new() { FrameBytes = 64 << 10, PinTimeout = TimeSpan.FromMilliseconds(100) });
        var region = transport.Regions.Register("to", address, (ulong)bytes, RegionAccess.PeersWrite, readGuard: null, guard);
        var peer = transport.Listen();
        var revoking = Task.CompletedTask;
        var withdrawing = Task.CompletedTask;
        return await CommandLoop.RunAsync(async words =>
        {
            switch (words[0])
            {
                case "grant":
                    return $"{peer.Address} {peer.Incarnation} {region.Id} {guard.Grants.Allow(0, (ulong)bytes)}";
                case "stall":
                    guard.StallAtNextButOne();
                    return "ok";
                case "stalled":
                    await guard.Stalled;
                    return "ok";
                case "open":
                    guard.Open();
                    return "ok";
                case "revoke":
                    revoking = guard.Grants.RevokeAsync(words.Unsigned(1), CancellationToken.None);
                    return "ok";
                case "withdraw":
                    withdrawing = transport.Regions.UnregisterAsync(region, CancellationToken.None);
                    return "ok";
                case "idle":
                    return revoking.IsCompleted && withdrawing.IsCompleted;
                case "notification":
                    var (written, token, value) = await transport.Regions.Inbox.ReceiveNotificationAsync(CancellationToken.None);
                    return $"{written} {token} {value}";
                case "fill":
                    unsafe { new Span<byte>((void*)address, (int)bytes).Fill((byte)words.Int(1)); }
                    return "ok";
                case "filled":
                    unsafe { return !new Span<byte>((void*)address, (int)bytes).ContainsAnyExcept((byte)words.Int(1)); }
                default:
                    return $"unknown command {words[0]}";
            }
        }, static () => []);
    }
}
