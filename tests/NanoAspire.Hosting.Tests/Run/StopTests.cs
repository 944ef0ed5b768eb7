using System.Diagnostics;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class StopTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resources_stop_in_reverse_order_and_nothing_is_left()
    {
        var file = Path.GetTempFileName();
        try
        {
            var builder = SampleProcesses.NewApplication();
            var back = builder.AddSample("back", "--stop-file", file).Checked();
            var middle = builder.AddSample("middle", "--stop-file", file).WithReference(back).WaitFor(back).Checked();
            builder.AddSample("front", "--stop-file", file).WithReference(middle).WaitFor(middle).Checked();
            await using var app = await builder.BuildAsync(Ct);
            await app.StartAsync(Ct);
            await app.ResourceNotifications.WaitForResourceHealthyAsync("front", Ct);
            int[] pids = [await app.PidOfAsync("back"), await app.PidOfAsync("middle"), await app.PidOfAsync("front")];
            await app.StopAsync(Ct);
            Assert.Equal(["front", "middle", "back"], await File.ReadAllLinesAsync(file, Ct));
            Assert.DoesNotContain(pids, SampleProcesses.IsAlive);
            Assert.True(app.ResourceNotifications.TryGetCurrentState("back", out var state));
            Assert.Equal((KnownResourceStates.Finished, 0), (state.Snapshot.State?.Text, state.Snapshot.ExitCode));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task What_does_not_end_when_asked_is_killed_after_the_grace_with_everything_it_started()
    {
        using var starter = new ProcessStarter();
        var ready = new TaskCompletionSource<string>();
        var spec = new ProcessSpec("sh", ["-c", "trap '' TERM; sleep 300 & echo $!; wait; sleep 300"], Path.GetTempPath(), new Dictionary<string, string>());
        using var process = await starter.StartAsync(spec, (line, _) => ready.TrySetResult(line));
        var grandchild = int.Parse(await ready.Task.WaitAsync(Ct), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(SampleProcesses.IsAlive(grandchild));
        Assert.Equal(128 + 9, await process.StopAsync(TimeSpan.FromMilliseconds(200), TimeProvider.System, Ct));
        await SampleProcesses.WaitUntilGoneAsync(process.Id, grandchild);
    }

    [Fact]
    public async Task A_process_that_ends_leaves_no_grandchild()
    {
        using var starter = new ProcessStarter();
        var ready = new TaskCompletionSource<string>();
        var spec = new ProcessSpec("sh", ["-c", "sleep 300 & echo $!; exit 7"], Path.GetTempPath(), new Dictionary<string, string>());
        using var process = await starter.StartAsync(spec, (line, _) => ready.TrySetResult(line));
        Assert.Equal(7, await process.Exited.WaitAsync(Ct));
        await SampleProcesses.WaitUntilGoneAsync(int.Parse(await ready.Task.WaitAsync(Ct), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Lines_are_split_whatever_their_length_and_the_last_needs_no_end()
    {
        using var starter = new ProcessStarter();
        var lines = new List<(string Text, bool IsError)>();
        var spec = new ProcessSpec("sh", ["-c", "printf 'a\\r\\n\\n'; head -c 40000 /dev/zero | tr '\\0' x; printf '\\nlast'; printf 'oops' >&2"], Path.GetTempPath(), new Dictionary<string, string>());
        using var process = await starter.StartAsync(spec, (line, isError) =>
        {
            lock (lines) lines.Add((line, isError));
        });
        await process.Exited.WaitAsync(Ct);
        Assert.Equal(["a", "", "last"], lines.Where(l => !l.IsError && !l.Text.StartsWith('x')).Select(l => l.Text));
        Assert.Equal(40_000, lines.Where(l => l.Text.StartsWith('x')).Sum(l => l.Text.Length));
        Assert.Equal(("oops", true), lines.Single(l => l.IsError));
        Assert.Equal("oops", process.LastWords);
    }

    [Fact]
    public async Task Variables_and_input_reach_the_process_and_arguments_are_taken_literally()
    {
        using var starter = new ProcessStarter();
        var lines = new List<string>();
        var spec = new ProcessSpec("sh", ["-c", "cat; echo \"$A|$1|$2\"", "sh", "two words", "$HOME \"'"], Path.GetTempPath(), new Dictionary<string, string> { ["A"] = "ä=1" })
        {
            StandardInput = "secret\n",
        };
        using var process = await starter.StartAsync(spec, (line, _) => lines.Add(line));
        Assert.Equal(0, await process.Exited.WaitAsync(Ct));
        Assert.Equal(["secret", "ä=1|two words|$HOME \"'"], lines);
    }

    [Fact]
    public async Task Stop_restart_and_start_commands_act_on_the_process()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        var first = await app.PidOfAsync("web");

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", KnownResourceCommands.RestartCommand, Ct)).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        var second = await app.PidOfAsync("web");
        Assert.NotEqual(first, second);
        Assert.False(SampleProcesses.IsAlive(first));

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", KnownResourceCommands.StopCommand, Ct)).Success);
        Assert.False(SampleProcesses.IsAlive(second));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("web", out var state));
        Assert.Equal(KnownResourceStates.Finished, state.Snapshot.State?.Text);
        Assert.Equal(ResourceCommandState.Enabled, state.Snapshot.Commands.Single(c => c.Name == KnownResourceCommands.StartCommand).State);

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("web", KnownResourceCommands.StartCommand, Ct)).Success);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
        Assert.Equal(app.GetEndpoint("web").Port, new Uri((await app.EnvironmentOfAsync("web"))["ASPNETCORE_URLS"]).Port);
    }

    [Fact]
    public async Task Disposing_an_application_stops_it()
    {
        var builder = SampleProcesses.NewApplication();
        builder.AddSample("web").Checked();
        int pid;
        await using (var app = await builder.BuildAsync(Ct))
        {
            await app.StartAsync(Ct);
            await app.ResourceNotifications.WaitForResourceHealthyAsync("web", Ct);
            pid = await app.PidOfAsync("web");
        }
        Assert.False(SampleProcesses.IsAlive(pid));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_resources_that_never_got_to_start()
    {
        var builder = SampleProcesses.NewApplication();
        var sick = builder.AddSample("sick", "--healthy-after", "600000").Checked();
        builder.AddSample("waiter").WaitFor(sick).Checked();
        await using var app = await builder.BuildAsync(Ct);
        await app.StartAsync(Ct);
        await app.ResourceNotifications.WaitForResourceAsync("waiter", KnownResourceStates.Waiting, Ct);
        await app.StopAsync(Ct).WaitAsync(TimeSpan.FromSeconds(30), Ct);
        Assert.True(app.ResourceNotifications.TryGetCurrentState("waiter", out var state));
        Assert.Equal(KnownResourceStates.Finished, state.Snapshot.State?.Text);
    }
}
