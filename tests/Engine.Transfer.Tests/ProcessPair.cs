using NanoAspire.Tests;
using NanoAspire.TransferPeer;

namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>Two processes, one of which offers memory to the other: warm, connected to nobody, and with what they hold at that point known.</summary>
internal sealed class ProcessPair : IAsyncDisposable
{
    public const int WarmUps = 2;

    private static readonly TimeSpan IdleInterval = Slowness.Seconds(2), IdleBound = Slowness.Milliseconds(100);

    private ProcessResources _ownerStart = null!, _userStart = null!;

    private ProcessPair(PeerProcess owner, PeerProcess user) => (Owner, User) = (owner, user);

    /// <summary>Whose memory it is.</summary>
    public PeerProcess Owner { get; private set; }
    /// <summary>Who reads or writes it.</summary>
    public PeerProcess User { get; }

    /// <param name="transport">Without UCX on the machine, a test that asks for it is skipped.</param>
    /// <param name="owner">Starts a process.</param>
    /// <param name="user">Starts the other one.</param>
    /// <param name="warmUp">Moves something between the two, <see cref="WarmUps"/> times.</param>
    public static async Task<ProcessPair> StartAsync(string transport, Func<PeerProcess> owner, Func<PeerProcess> user, Func<ProcessPair, Task> warmUp)
    {
        Assert.SkipUnless(transport != "ucx" || Needs.Ucx, Needs.UcxReason);
        var pair = new ProcessPair(owner(), user());
        try
        {
            await warmUp(pair);
            await pair.ForgetAsync();
            (pair._userStart, pair._ownerStart) = (await pair.User.SettledAsync(), await pair.Owner.SettledAsync());
            await warmUp(pair);
            await pair.AssertRestoredAsync(); // else what a connection leaves behind would be part of the start
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>The user closes what it keeps for the owner.</summary>
    public async Task ForgetAsync() => Assert.Equal("ok", await User.AskAsync("forget"));

    /// <summary>Another process in the place of the owner.</summary>
    public async Task ReplaceOwnerAsync(Func<PeerProcess> start)
    {
        await Owner.DisposeAsync();
        Owner = start();
        _ownerStart = await Owner.ResourcesAsync(collected: true);
    }

    /// <summary>Each process that lives holds what it did at the start, or comes to it.</summary>
    public async Task AssertRestoredAsync(params string[] except)
    {
        if (!User.HasExited && !Owner.HasExited) await ForgetAsync(); // of a dead owner nothing may be kept anyway
        if (!User.HasExited) await User.AssertRestoredAsync(_userStart, except);
        if (!Owner.HasExited) await Owner.AssertRestoredAsync(_ownerStart, except);
    }

    /// <summary>Neither process uses the processor: a loop that waits by looking would take all of some interval.</summary>
    public async Task AssertIdleAsync()
    {
        var used = TimeSpan.MaxValue;
        for (var i = 0; i < 5 && used >= IdleBound; i++) // the runtime still compiles in the first one, or two on a busy machine
        {
            var (owner, user) = (Owner.ProcessorTime, User.ProcessorTime);
            await Task.Delay(IdleInterval);
            var (ownerUsed, userUsed) = (Owner.ProcessorTime - owner, User.ProcessorTime - user);
            used = ownerUsed > userUsed ? ownerUsed : userUsed;
        }
        Assert.True(used < IdleBound, $"without work, a process used {used.TotalMilliseconds} ms of processor time in {IdleInterval.TotalSeconds} s");
    }

    public async ValueTask DisposeAsync()
    {
        await User.DisposeAsync();
        await Owner.DisposeAsync();
    }
}
