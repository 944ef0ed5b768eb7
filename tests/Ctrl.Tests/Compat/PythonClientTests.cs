using System.Diagnostics;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Tests;

namespace NanoAspire.Ctrl.Tests.Compat;

[Trait("needs", "redis")]
[Trait("needs", "python3")]
public sealed class PythonClientTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task A_client_that_speaks_as_the_original_ones_do_gets_the_answers_it_expects()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        Assert.SkipUnless(OnPath("python3"), "needs python3 on the PATH");
        await using var server = await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address, RedisAdvertise = redis.Url });
        using var python = Process.Start(new ProcessStartInfo("python3", [Path.Combine(RepositoryPaths.Root, "tests", "Ctrl.Tests", "Compat", "original_client.py"), server.Url])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, errors) = (python.StandardOutput.ReadToEndAsync(), python.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try { await python.WaitForExitAsync(limit.Token); }
        finally
        {
            if (!python.HasExited) python.Kill();
        }
        Assert.True(python.ExitCode == 0, await errors);
        Assert.Equal("ok", (await output).Trim());
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
}
