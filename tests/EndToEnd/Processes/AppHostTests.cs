using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.Processes;

/// <summary>What the first command of the README does, from the start to Ctrl+C and to a kill.</summary>
public sealed partial class AppHostTests
{
    [Fact(Skip = Needs.RedisReason, SkipUnless = nameof(Needs.Redis), SkipType = typeof(Needs))]
    [Trait("needs", "redis")]
    public Task With_redis_on_the_path_the_whole_cluster_answers_and_ends_with_ctrl_c() =>
        RunAsync(Environment.GetEnvironmentVariable("PATH")!, "Control plane on Redis", signal: 2);

    [Fact]
    public async Task Without_redis_one_line_says_so_and_the_embedded_store_serves()
    {
        // A PATH that has dotnet and nothing else.
        var folder = Directory.CreateTempSubdirectory("nanoaspire-path-");
        try { await RunAsync(folder.FullName, "embedded store", signal: 2); }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public Task A_killed_host_leaves_no_process_behind() => RunAsync(Environment.GetEnvironmentVariable("PATH")!, "Control plane on", signal: ServiceProcess.Kill);

    [Fact]
    public async Task A_wrong_model_folder_is_one_line_and_exit_code_one()
    {
        var (code, _, error) = await ServiceProcess.RunAsync("NanoAspire.AppHost", "--model", "/nowhere/at/all");
        Assert.Equal(1, code);
        Assert.Contains("/nowhere/at/all", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    private static async Task RunAsync(string path, string expectedLine, int signal)
    {
        var mark = $"NANOASPIRE_TEST_{Guid.NewGuid():N}";          // inherited by every process of this cluster
        var dotnet = Environment.ProcessPath is { } self && Path.GetFileName(self) == "dotnet" ? self : FindDotnet();
        // A shell's background job ignores interrupts, and its children inherit that; env becomes the host, under the same process id.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", dotnet, ServiceProcess.Dll("NanoAspire.AppHost")])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["PATH"] = path;
        start.Environment[mark] = "1";
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(dotnet)!;
        using var host = Process.Start(start)!;
        try
        {
            var log = new StringBuilder();
            var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            void Read(string? line)
            {
                lock (log) log.AppendLine(line);
                if (line is not null && ApiLine().Match(line) is { Success: true } match) address.TrySetResult(match.Groups[1].Value);
            }
            host.OutputDataReceived += (_, e) => Read(e.Data);
            host.ErrorDataReceived += (_, e) => Read(e.Data);
            host.BeginOutputReadLine();
            host.BeginErrorReadLine();

            var ready = await Task.WhenAny(address.Task, host.WaitForExitAsync(), Task.Delay(TimeSpan.FromMinutes(2)));
            Assert.True(ready == address.Task, Text(log));
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
            using var response = await http.PostAsJsonAsync($"{await address.Task}/chat/completions", ServiceCluster.Chat("What is prefill?"));
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.StartsWith("Prefill reads the whole prompt", answer["choices"]?[0]?["message"]?["content"]?.GetValue<string>() ?? answer.ToJsonString(), StringComparison.Ordinal);
            Assert.Contains(expectedLine, Text(log), StringComparison.Ordinal);
            for (var i = 0; Marked(mark).Count < 5; i++)
            {
                Assert.True(i < 300, $"the host and four services should be running: {string.Join(", ", Marked(mark))}\n{Text(log)}");
                await Task.Delay(100);
            }

            Assert.Equal(0, kill(host.Id, signal));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await host.WaitForExitAsync(limit.Token);
            if (signal != ServiceProcess.Kill) Assert.Equal(0, host.ExitCode);
            for (var i = 0; Marked(mark).Count > 0; i++)
            {
                Assert.True(i < 300, $"left behind: {string.Join(", ", Marked(mark))}");
                await Task.Delay(100);
            }
        }
        finally
        {
            foreach (var (id, _) in Marked(mark)) _ = kill(id, ServiceProcess.Kill);
        }
    }

    /// <summary>Processes whose environment carries the mark.</summary>
    private static List<(int Id, string Command)> Marked(string mark)
    {
        var found = new List<(int, string)>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
            try
            {
                if (File.ReadAllText(Path.Combine(folder, "environ")).Contains(mark, StringComparison.Ordinal))
                    found.Add((id, File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ')));
            }
            catch (IOException) { /* gone meanwhile */ }
            catch (UnauthorizedAccessException) { /* not ours */ }
        }
        return found;
    }

    private static string FindDotnet() => Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "dotnet")).First(File.Exists);

    private static string Text(StringBuilder log) { lock (log) return log.ToString(); }

    [GeneratedRegex(@"OpenAI API\s+(http://\S+)")]
    private static partial Regex ApiLine();

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
