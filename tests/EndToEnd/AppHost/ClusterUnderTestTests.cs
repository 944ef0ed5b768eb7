using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.AppHost;

public sealed class ClusterUnderTestTests
{
    private const string Answer = "Prefill reads the whole prompt at once";
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_cluster_of_the_host_answers_a_chat()
    {
        await using var cluster = await TestedCluster.StartAsync();
        Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
        // Random ports: a developer's own cluster on the well-known ones is left alone.
        Assert.NotEqual(8080, cluster.App.GetEndpoint("router").Port);
        Assert.NotEqual(4479, cluster.App.GetEndpoint("ctrl").Port);
    }

    [Fact]
    public async Task Without_prefill_engines_decode_does_both_phases()
    {
        await using var cluster = await TestedCluster.StartAsync("--prefill", "0", "--scope", "alone");
        Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => cluster.App.GetEndpoint("prefill"));
    }

    [Fact]
    public async Task Two_decode_engines_are_both_used_and_one_is_enough_when_the_other_stops()
    {
        await using var cluster = await TestedCluster.StartAsync("--decode", "2");
        var engines = await cluster.InstancesAsync("decode", 2);
        for (var i = 0; i < 20; i++) await cluster.AskAsync($"Question {i}: what is decode?");
        foreach (var engine in engines) Assert.True(await TestedCluster.MetricAsync(engine, "gen_ai_server_request_duration_seconds_count") > 0, $"{engine.ResourceId} was not used");

        Assert.True((await cluster.App.ResourceCommands.ExecuteCommandAsync(engines[0].ResourceId, KnownResourceCommands.StopCommand, Ct)).Success);
        for (var i = 0; i < 5; i++) Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_engine_is_replaced_by_starting_it_again()
    {
        await using var cluster = await TestedCluster.StartAsync();
        var prefill = Assert.Single(await cluster.InstancesAsync("prefill", 1));
        var pid = (int)prefill.Snapshot.Properties.Single(p => p.Name == "executable.pid").Value!;
        System.Diagnostics.Process.GetProcessById(pid).Kill();
        await cluster.App.ResourceNotifications.WaitForResourceAsync("prefill", KnownResourceStates.TerminalStates, Ct);
        Assert.True((await cluster.App.ResourceCommands.ExecuteCommandAsync("prefill", KnownResourceCommands.StartCommand, Ct)).Success);
        await cluster.App.ResourceNotifications.WaitForResourceHealthyAsync("prefill", Ct);
        await EventuallyAsync(async () => Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal));
    }

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task A_restart_of_redis_in_mid_traffic_is_survived()
    {
        await using var cluster = await TestedCluster.StartAsync();
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(async () =>
        {
            var answers = 0;
            while (!stop.IsCancellationRequested)
            {
                Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
                answers++;
            }
            return answers;
        }, Ct);
        Assert.True((await cluster.App.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.RestartCommand, Ct)).Success);
        await cluster.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", Ct);
        await Task.Delay(TimeSpan.FromSeconds(2), Ct);
        await stop.CancelAsync();
        Assert.True(await traffic > 0);
        await EventuallyAsync(async () => Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal));
    }

    /// <summary>Repeats an assertion that becomes true a moment later.</summary>
    private static async Task EventuallyAsync(Func<Task> assertion)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await assertion();
                return;
            }
            catch (Xunit.Sdk.XunitException) when (attempt < 300)
            {
                await Task.Delay(100, Ct);
            }
        }
    }
}
