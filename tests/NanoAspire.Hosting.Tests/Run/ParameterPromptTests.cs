using Microsoft.Extensions.Configuration;
using NanoAspire.Hosting.Model;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Tests.Run;

public sealed class ParameterPromptTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_parameters_without_any_value_are_asked_for_and_secrets_are_not_echoed()
    {
        var builder = DistributedApplication.CreateBuilder(["--Parameters:given=1"]);
        builder.AddParameter("given");
        builder.AddParameter("defaulted", "2");
        var asked = builder.AddParameter("asked").WithDescription("What it is for.");
        var secret = builder.AddParameter("secret-one", secret: true);
        var skipped = builder.AddParameter("skipped");
        var (output, hidden) = (new StringWriter(), new List<bool>());
        var answers = new Queue<string?>(["", " three ", "four", null]);
        await new ParameterPrompt(output, isSecret =>
        {
            hidden.Add(isSecret);
            return answers.Dequeue();
        }).AskAsync(builder.Resources, builder.Configuration, secrets: null, Ct);

        Assert.Equal("three", await asked.Resource.GetValueAsync(Ct));
        Assert.Equal("four", await secret.Resource.GetValueAsync(Ct));
        await Assert.ThrowsAsync<MissingParameterValueException>(async () => await skipped.Resource.GetValueAsync(Ct));
        Assert.Equal([false, false, true, false], hidden);
        var text = output.ToString();
        Assert.StartsWith("What it is for.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("'given'", text, StringComparison.Ordinal);
        Assert.DoesNotContain("'defaulted'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_remembered_when_wanted_beside_what_the_secrets_held_before()
    {
        var folder = Directory.CreateTempSubdirectory("nanoaspire-secrets-");
        try
        {
            var path = Path.Combine(folder.FullName, "id", "secrets.json");
            var secrets = new UserSecrets(path);
            Assert.True(secrets.TrySet("Parameters:old", "1"));
            var builder = DistributedApplication.CreateBuilder();
            builder.AddParameter("kept");
            builder.AddParameter("dropped");
            var answers = new Queue<string?>(["2", "y", "3", "n"]);
            await new ParameterPrompt(TextWriter.Null, _ => answers.Dequeue()).AskAsync(builder.Resources, builder.Configuration, secrets, Ct);

            var stored = new ConfigurationBuilder().AddJsonFile(path).Build();
            Assert.Equal(("1", "2", null), (stored["Parameters:old"], stored["Parameters:kept"], stored["Parameters:dropped"]));
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            await File.WriteAllTextAsync(path, "this is not JSON", Ct);
            Assert.False(secrets.TrySet("Parameters:new", "4"));
            Assert.Equal("this is not JSON", await File.ReadAllTextAsync(path, Ct));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Whoever_is_asked_may_interrupt()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddParameter("asked");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (reading, never) = (new TaskCompletionSource(), new ManualResetEventSlim());
        var asking = new ParameterPrompt(TextWriter.Null, _ =>
        {
            reading.SetResult();
            never.Wait(TimeSpan.FromSeconds(60), Ct);
            return null;
        }).AskAsync(builder.Resources, builder.Configuration, secrets: null, stop.Token);
        await reading.Task.WaitAsync(Ct);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        never.Set();
    }
}
