namespace NanoAspire.Engine.Transfer.Tests;

/// <summary>
/// Writes to the memory of another process: a grant belongs to its writer until it has finished or is gone, whatever happens to its
/// process in between; and whoever lives afterwards holds no more than before.
/// </summary>
public abstract class WriterContract(string transport)
{
    private const int Size = 8 << 20;
    private static readonly int Patient = 60_000 * Slowness.Factor, Impatient = 1200 * Slowness.Factor;

    private Task<ProcessPair> StartAsync(int? frameTimeoutMs = null) => ProcessPair.StartAsync(
        transport, () => new("target", transport, Size), () => new("writer", transport, Size, frameTimeoutMs ?? Patient), async pair =>
        {
            var grant = await GrantAsync(pair);
            Assert.Equal($"{Size}", await pair.User.AskAsync(Write(grant, value: 1)));
            await RevokeAsync(pair, grant);
        });

    private static string Write(string grant, int value, string notification = "-", ulong offset = 0, ulong length = Size) =>
        $"write {value} {notification} {offset} {length} {grant}";

    private static Task<string> GrantAsync(ProcessPair pair) => pair.Owner.AskAsync("grant");

    private static async Task BeginToRevokeAsync(ProcessPair pair, string grant) => Assert.Equal("ok", await pair.Owner.AskAsync($"revoke {grant.Split(' ')[^1]}"));

    private static async Task RevokeAsync(ProcessPair pair, string grant)
    {
        await BeginToRevokeAsync(pair, grant);
        await UntilIdleAsync(pair);
    }

    /// <summary>What was revoked or withdrawn is used by nobody any more.</summary>
    private static async Task UntilIdleAsync(ProcessPair pair)
    {
        for (var i = 0; i < 3000 * Slowness.Factor && await pair.Owner.AskAsync("idle") != "True"; i++) await Task.Delay(10);
        Assert.Equal("True", await pair.Owner.AskAsync("idle"));
    }

    /// <summary>Returns when the writer holds one piece, where the transport has it do so, and has asked for the next.</summary>
    private static async Task<string> BeginAsync(ProcessPair pair)
    {
        var grant = await GrantAsync(pair);
        Assert.Equal("ok", await pair.Owner.AskAsync("stall"));
        await pair.User.WriteAsync(Write(grant, value: 2));
        Assert.Equal("ok", await pair.Owner.AskAsync("stalled"));
        return grant;
    }

    [Fact]
    public async Task A_write_of_another_process_arrives()
    {
        await using var pair = await StartAsync();
        var grant = await GrantAsync(pair);
        Assert.Equal($"{Size}", await pair.User.AskAsync(Write(grant, value: 171)));
        Assert.Equal("True", await pair.Owner.AskAsync("filled 171"));
        await RevokeAsync(pair, grant);
        Assert.Equal("TokenRefused", await pair.User.AskAsync(Write(grant, value: 3)));
        Assert.Equal("True", await pair.Owner.AskAsync("filled 171"));
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_write_with_a_notification_has_arrived_when_that_does()
    {
        await using var pair = await StartAsync();
        var grant = await GrantAsync(pair);
        await pair.User.WriteAsync(Write(grant, value: 172, notification: "77"));
        Assert.Equal($"{string.Join(' ', grant.Split(' ')[2..])} 77", await pair.Owner.AskAsync("notification"));
        Assert.Equal("True", await pair.Owner.AskAsync("filled 172"));
        Assert.Equal($"{Size}", await pair.User.ReadAsync());
        await RevokeAsync(pair, grant);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Writes_outside_of_the_memory_of_the_target_are_refused_and_both_live()
    {
        await using var pair = await StartAsync();
        var grant = await GrantAsync(pair);
        foreach (var (offset, length) in new (ulong, ulong)[] { (Size, 1), (Size - 1, 2), (1ul << 40, 8), (ulong.MaxValue - 7, 8), (ulong.MaxValue, 1) })
            Assert.Equal("OutOfRange", await pair.User.AskAsync(Write(grant, value: 4, notification: "-", offset, length)));
        Assert.Equal("True", await pair.Owner.AskAsync("filled 1")); // from the warm-up
        await RevokeAsync(pair, grant);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_writer_that_is_stopped_keeps_its_grant_and_one_that_is_killed_loses_it()
    {
        await using var pair = await StartAsync();
        var grant = await BeginAsync(pair);
        pair.User.Signal(PeerProcess.Stop);
        await BeginToRevokeAsync(pair, grant);
        Assert.Equal("ok", await pair.Owner.AskAsync("open"));
        await Task.Delay(400); // four times what a reader may take
        if (transport != "tcp") Assert.Equal("False", await pair.Owner.AskAsync("idle"));
        await pair.User.KillAsync();
        await UntilIdleAsync(pair);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_target_killed_in_mid_write_is_a_lost_peer()
    {
        await using var pair = await StartAsync();
        await BeginAsync(pair);
        await pair.Owner.KillAsync();
        Assert.Equal("PeerLost", await pair.User.ReadAsync());
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_target_stopped_for_longer_than_the_deadline_is_a_timeout_and_nothing_is_written_once_the_grant_is_back()
    {
        await using var pair = await StartAsync(Impatient);
        var grant = await BeginAsync(pair);
        pair.Owner.Signal(PeerProcess.Stop);
        Assert.Equal("Timeout", await pair.User.ReadAsync());
        pair.Owner.Signal(PeerProcess.Continue);
        Assert.Equal("ok", await pair.Owner.AskAsync("open"));
        await RevokeAsync(pair, grant);
        Assert.Equal("ok", await pair.Owner.AskAsync("fill 119"));
        await Task.Delay(300);
        Assert.Equal("True", await pair.Owner.AskAsync("filled 119"));

        grant = await GrantAsync(pair); // awake again
        Assert.Equal($"{Size}", await pair.User.AskAsync(Write(grant, value: 5)));
        Assert.Equal("True", await pair.Owner.AskAsync("filled 5"));
        await RevokeAsync(pair, grant);
        await pair.AssertRestoredAsync();
    }

    [Fact]
    public async Task Memory_withdrawn_in_mid_write_refuses_the_rest_and_waits_for_what_was_begun()
    {
        await using var pair = await StartAsync();
        await BeginAsync(pair);
        Assert.Equal("ok", await pair.Owner.AskAsync("withdraw"));
        Assert.Equal("False", await pair.Owner.AskAsync("idle")); // the request that is held up has its pin
        Assert.Equal("ok", await pair.Owner.AskAsync("open"));
        Assert.Equal("StaleRegion", await pair.User.ReadAsync());
        await UntilIdleAsync(pair);
        await pair.AssertRestoredAsync();
    }
}
