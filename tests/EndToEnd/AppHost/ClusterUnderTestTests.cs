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
    public async Task A_second_decode_engine_added_at_run_time_is_used_too_and_one_is_enough_when_the_other_is_killed()
    {
        await using var cluster = await TestedCluster.StartAsync();
        Assert.Equal("scale-up", Assert.Single(await cluster.InstancesAsync("decode", 1)).Snapshot.Commands.Single(c => c.DisplayName == "Add a replica").Name);
        await cluster.CommandAsync("decode", "scale-up");
        var engines = await cluster.InstancesAsync("decode", 2);
        await EventuallyAsync(async () =>
        {
            for (var i = 0; i < 4; i++) await cluster.AskAsync($"Question {i}: what is decode?");
            foreach (var engine in engines) Assert.True(await TestedCluster.MetricAsync(engine, "gen_ai_server_request_duration_seconds_count") > 0, $"{engine.ResourceId} was not used");
        });

        TestedCluster.Kill(engines[0]);                          // the request after it is served, whether or not anybody has noticed yet
        for (var i = 0; i < 5; i++) Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
        await cluster.App.ResourceNotifications.WaitForResourceAsync(engines[0].ResourceId, KnownResourceStates.TerminalStates, Ct);

        await cluster.CommandAsync("decode", KnownResourceCommands.StartCommand, engines[0].ResourceId);
        await cluster.InstancesAsync("decode", 2);
        await cluster.CommandAsync("decode", "scale-down", engines[1].ResourceId);
        Assert.Equal(engines[0].ResourceId, Assert.Single(await cluster.InstancesAsync("decode", 1)).ResourceId);
        await EventuallyAsync(async () => Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_drained_engine_finishes_its_stream_and_ends_while_the_other_serves()
    {
        await using var cluster = await TestedCluster.StartAsync("--decode", "2");
        var engines = await cluster.InstancesAsync("decode", 2);
        using var stream = await cluster.StreamAsync(tokens: 250);
        Assert.StartsWith("data: ", await stream.ReadLineAsync(Ct), StringComparison.Ordinal);
        var busy = await BusyAsync(engines);

        var drained = cluster.App.ResourceCommands.ExecuteCommandAsync(busy.ResourceId, "drain", Ct);
        Assert.EndsWith("data: [DONE]\n\n", await stream.ReadToEndAsync(Ct), StringComparison.Ordinal);
        var result = await drained;
        Assert.True(result.Success, result.ErrorMessage);
        Assert.True(cluster.App.ResourceNotifications.TryGetCurrentState(busy.ResourceId, out var end));
        Assert.Equal((KnownResourceStates.Finished, 0), (end.Snapshot.State?.Text, end.Snapshot.ExitCode));
        for (var i = 0; i < 3; i++) Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);

        await cluster.CommandAsync("decode", KnownResourceCommands.StartCommand, busy.ResourceId);
        await cluster.InstancesAsync("decode", 2);
    }

    [Fact]
    public async Task A_killed_engine_is_replaced_by_starting_it_again()
    {
        await using var cluster = await TestedCluster.StartAsync();
        var prefill = Assert.Single(await cluster.InstancesAsync("prefill", 1));
        TestedCluster.Kill(prefill);
        await cluster.App.ResourceNotifications.WaitForResourceAsync("prefill", KnownResourceStates.TerminalStates, Ct);
        await cluster.CommandAsync("prefill", KnownResourceCommands.StartCommand);
        await cluster.App.ResourceNotifications.WaitForResourceHealthyAsync("prefill", Ct);
        await EventuallyAsync(async () => Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal));
    }

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task A_restart_of_redis_in_mid_traffic_is_survived()
    {
        await using var cluster = await TestedCluster.StartAsync();
        var answers = 0;
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.StartsWith(Answer, await cluster.AskAsync(), StringComparison.Ordinal);
                Interlocked.Increment(ref answers);
            }
        }, Ct);
        async Task AnsweredAsync(int more)
        {
            var goal = Volatile.Read(ref answers) + more;
            while (Volatile.Read(ref answers) < goal && !traffic.IsCompleted) await Task.Delay(20, Ct);
            if (traffic.IsCompleted) await traffic;
        }
        await AnsweredAsync(2);
        await cluster.CommandAsync("redis", KnownResourceCommands.RestartCommand);
        await cluster.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", Ct);
        await AnsweredAsync(10);                                 // with an empty registry behind them, until the engines have come back to it
        await stop.CancelAsync();
        await traffic;
    }

    /// <summary>The engine that is generating.</summary>
    private static async Task<ResourceEvent> BusyAsync(IReadOnlyList<ResourceEvent> engines)
    {
        for (var i = 0; i < 300; i++)
        {
            foreach (var engine in engines)
            {
                if (await TestedCluster.MetricAsync(engine, "requests_running") > 0) return engine;
            }
            await Task.Delay(20, Ct);
        }
        throw new Xunit.Sdk.XunitException("no engine is generating");
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
