using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using NanoAspire.Ctrl.Cli;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Cli;

public sealed class CliTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nanoctrl-").FullName;
    private readonly int _port = RedisFixture.FreePort();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Nanoctrl.RunAsync(_folder, "stop", "--force", "--timeout", "5");
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Case_20_start_status_and_stop()
    {
        Assert.Equal(1, (await Nanoctrl.RunAsync(_folder, "status", "--address", Address)).ExitCode);
        var started = await StartAsync();
        Assert.True(started.ExitCode == 0, started.Errors);
        var pid = await File.ReadAllTextAsync(PidFile);
        var meta = JsonElement.Parse(await File.ReadAllTextAsync(MetaFile));
        Assert.Equal(pid, meta.GetProperty("pid").GetInt32().ToString(CultureInfo.InvariantCulture));
        Assert.Equal($"http://127.0.0.1:{_port}", meta.GetProperty("address").GetString());
        Assert.Contains("server", meta.GetProperty("cmd").EnumerateArray().Select(c => c.GetString()));
        Assert.True(File.Exists(meta.GetProperty("log").GetString()));
        Assert.True(meta.GetProperty("started_at").GetInt64() > 1_600_000_000);

        var again = await StartAsync();
        Assert.Equal((0, pid), (again.ExitCode, await File.ReadAllTextAsync(PidFile)));
        var status = await Nanoctrl.RunAsync(_folder, "status");
        Assert.Equal(0, status.ExitCode);
        foreach (var line in (string[])[$"pid: {pid}", "process: running", $"address: http://127.0.0.1:{_port}", "health: ok", "log: "]) Assert.Contains(line, status.Output);

        Assert.Equal(0, (await Nanoctrl.RunAsync(_folder, "stop")).ExitCode);
        Assert.False(File.Exists(PidFile) || File.Exists(MetaFile));
        Assert.False(ProcessIdentity.IsAlive(int.Parse(pid, CultureInfo.InvariantCulture), mark: null));
        Assert.Equal(0, (await Nanoctrl.RunAsync(_folder, "stop")).ExitCode);
        Assert.Equal(1, (await Nanoctrl.RunAsync(_folder, "status", "--address", Address)).ExitCode);
    }

    [Fact]
    public async Task Case_20_start_with_redis_out_of_reach_fails_and_leaves_nothing()
    {
        var result = await StartAsync("--redis-url", $"redis://127.0.0.1:{RedisFixture.FreePort()}");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Redis", result.Errors);
        Assert.False(File.Exists(PidFile) || File.Exists(MetaFile));
    }

    [Fact]
    public async Task Case_20_a_server_that_somebody_else_started_counts_as_running()
    {
        await using var server = await CtrlServer.StartAsync();
        var status = await Nanoctrl.RunAsync(_folder, "status", "--address", server.Url);
        Assert.Equal(0, status.ExitCode);
        Assert.Contains("managed elsewhere", status.Output);
        var start = await Nanoctrl.RunAsync(_folder, "start", "--port", new Uri(server.Url).Port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(0, start.ExitCode);
        Assert.False(File.Exists(PidFile));
    }

    [Fact]
    public async Task A_pid_that_now_belongs_to_another_process_is_neither_trusted_nor_stopped()
    {
        using var bystander = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        try
        {
            await File.WriteAllTextAsync(PidFile, bystander.Id.ToString(CultureInfo.InvariantCulture));
            await File.WriteAllTextAsync(MetaFile, $$"""{"pid":{{bystander.Id}},"address":"http://127.0.0.1:1","cmd":[],"log":"x","started_at":1,"start_mark":"1"}""");
            Assert.Equal(1, (await Nanoctrl.RunAsync(_folder, "status")).ExitCode);
            await File.WriteAllTextAsync(PidFile, bystander.Id.ToString(CultureInfo.InvariantCulture));
            await File.WriteAllTextAsync(MetaFile, $$"""{"pid":{{bystander.Id}},"address":"http://127.0.0.1:1","cmd":[],"log":"x","started_at":1,"start_mark":"1"}""");
            Assert.Equal(0, (await Nanoctrl.RunAsync(_folder, "stop")).ExitCode);
            Assert.False(bystander.HasExited);
        }
        finally { bystander.Kill(); }
    }

    [Fact]
    public async Task Unreadable_runtime_files_count_as_none()
    {
        await File.WriteAllTextAsync(PidFile, "not a number");
        await File.WriteAllTextAsync(MetaFile, "{");
        Assert.Equal(1, (await Nanoctrl.RunAsync(_folder, "status", "--address", "http://127.0.0.1:1")).ExitCode);
        Assert.Equal(0, (await Nanoctrl.RunAsync(_folder, "stop")).ExitCode);
    }

    [Theory]
    [InlineData("server", "--bogus")]
    [InlineData("server", "--port", "70000")]
    [InlineData("server", "--port", "x")]
    [InlineData("server", "--redis-url", "http://x")]
    [InlineData("server", "--redis-url", "redis://someone:secret@x")]
    [InlineData("server", "--scope-token", "nope")]
    [InlineData("start", "--wait", "-1")]
    [InlineData("nonsense")]
    public async Task A_command_line_that_makes_no_sense_ends_with_2_and_one_line(params string[] arguments)
    {
        var result = await Nanoctrl.RunAsync(_folder, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("secret", result.Errors);
    }

    [Fact]
    public async Task A_taken_port_ends_with_1_and_one_line()
    {
        await using var server = await CtrlServer.StartAsync();
        var result = await Nanoctrl.RunAsync(_folder, "server", "--port", new Uri(server.Url).Port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("address already in use", Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public async Task Help_and_version_end_with_0(string flag) => Assert.Equal(0, (await Nanoctrl.RunAsync(_folder, flag)).ExitCode);

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:{0}")]
    [InlineData("HTTP_PORTS", "{0}")]
    [InlineData("PORT", "{0}")]
    public async Task Without_a_port_flag_the_environment_decides(string variable, string format)
    {
        using var process = Nanoctrl.Start(_folder, new Dictionary<string, string?> { [variable] = string.Format(CultureInfo.InvariantCulture, format, _port) });
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            using var http = new HttpClient();
            await Eventually.TrueAsync(async () =>
            {
                Assert.False(process.HasExited);
                try { return (await http.GetStringAsync($"http://127.0.0.1:{_port}/")).Contains("Running", StringComparison.Ordinal); }
                catch (HttpRequestException) { return false; }
            }, "an answer on the port of the environment");
        }
        finally
        {
            Assert.True(ProcessIdentity.Terminate(process.Id));
            await process.WaitForExitAsync();
        }
        Assert.Equal(0, process.ExitCode);
    }

    private string Address => $"http://127.0.0.1:{_port}";

    private string PidFile => Path.Combine(_folder, "nanoctrl.pid");

    private string MetaFile => Path.Combine(_folder, "nanoctrl.meta.json");

    private Task<Nanoctrl.Result> StartAsync(params string[] more) =>
        Nanoctrl.RunAsync(_folder, ["start", "--port", _port.ToString(CultureInfo.InvariantCulture), "--wait", "20", .. more]);
}
