using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Tests;

namespace NanoAspire.Hosting.Tests.Run;

/// <summary>A real host program from outside: its exit code, its output, and what is left when it is killed.</summary>
public sealed class HostProcessTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task A_killed_host_leaves_no_process_behind()
    {
        using var host = SampleHost.Start();
        var children = await host.ChildrenAsync(3);
        Assert.Equal(3, children.Count(SampleProcesses.IsAlive));
        host.Process.Kill();                                     // this process alone, as the kernel would
        await SampleProcesses.WaitUntilGoneAsync(children);
    }

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task A_host_that_is_asked_to_end_does_so_with_code_0_and_prefixed_plain_lines()
    {
        using var host = SampleHost.Start();
        var children = await host.ChildrenAsync(3);
        foreach (var line in (string[])["Distributed application started. Press Ctrl+C to shut down.", "back  | sample back starts", "front | Waiting for resource 'back' to become healthy."])
        {
            await host.LineAsync(l => l == line);
        }
        Assert.Equal(0, Signals.Send(host.Process.Id, 15));
        await host.Process.WaitForExitAsync(Ct);
        Assert.Equal(0, host.Process.ExitCode);
        Assert.DoesNotContain(children, SampleProcesses.IsAlive);
        Assert.DoesNotContain(host.Lines, l => l.Contains('\e'));
    }

    [Fact]
    public async Task A_second_interrupt_kills_what_does_not_end_by_itself()
    {
        using var host = SampleHost.Start(path: Path.GetTempPath(), "--stubborn", "true");
        var children = await host.ChildrenAsync(2);
        Assert.Equal(0, Signals.Send(host.Process.Id, 15));
        await host.LineAsync(l => l.Contains("sample front stops", StringComparison.Ordinal));
        Assert.False(host.Process.HasExited);
        Assert.Equal(0, Signals.Send(host.Process.Id, 2));
        await host.Process.WaitForExitAsync(Ct);
        Assert.Equal(0, host.Process.ExitCode);
        Assert.Contains(host.Lines, l => l.StartsWith("Interrupted again", StringComparison.Ordinal));
        Assert.DoesNotContain(children, SampleProcesses.IsAlive);
    }

    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public async Task Redis_is_protected_by_a_password_that_no_process_list_shows()
    {
        using var host = SampleHost.Start();
        var children = await host.ChildrenAsync(3);
        var redis = children.Single(pid => File.ReadAllText($"/proc/{pid}/comm").StartsWith("redis-server", StringComparison.Ordinal) || File.ReadAllText($"/proc/{pid}/comm").StartsWith("valkey", StringComparison.Ordinal));
        var commandLine = await File.ReadAllTextAsync($"/proc/{redis}/cmdline", Ct);
        var port = int.Parse(commandLine.TrimEnd('\0', ' ').Split(':')[^1], CultureInfo.InvariantCulture);
        Assert.DoesNotContain("pass", commandLine, StringComparison.OrdinalIgnoreCase);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Ct);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), Ct);
        var buffer = new byte[128];
        var read = await client.GetStream().ReadAsync(buffer, Ct);
        Assert.StartsWith("-NOAUTH", System.Text.Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_redis_on_this_machine_one_line_says_so_and_the_rest_runs()
    {
        using var host = SampleHost.Start(path: Path.GetTempPath());
        var children = await host.ChildrenAsync(2);
        Assert.Equal(2, children.Count);
        var line = await host.LineAsync(l => l.StartsWith("redis |", StringComparison.Ordinal));
        Assert.Contains("redis-server", line, StringComparison.Ordinal);
        Assert.Contains("back", line, StringComparison.Ordinal);
        var environment = await File.ReadAllTextAsync($"/proc/{children[0]}/environ", Ct);
        Assert.DoesNotContain("ConnectionStrings__redis", environment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_replaced_and_the_replacement_printed()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        using var host = SampleHost.Start(path: Path.GetTempPath(), "--port", port.ToString(CultureInfo.InvariantCulture));
        await host.LineAsync(l => l.Contains($"Port {port} is in use", StringComparison.Ordinal));
        await host.ChildrenAsync(2);
    }
}
