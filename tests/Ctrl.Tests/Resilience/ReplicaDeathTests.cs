using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using NanoAspire.Ctrl.Tests.Cli;
using NanoAspire.Ctrl.Tests.Support;
using NanoAspire.Tests;

namespace NanoAspire.Ctrl.Tests.Resilience;

[Trait("needs", "redis")]
public sealed class ReplicaDeathTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task A_replica_killed_in_the_middle_of_requests_loses_nothing_that_it_acknowledged()
    {
        Assert.SkipUnless(Needs.Redis, Needs.RedisReason);
        var folder = Directory.CreateTempSubdirectory("nanoctrl-").FullName;
        var port = RedisFixture.FreePort();
        using var doomed = Nanoctrl.Start(folder, new Dictionary<string, string?>(), "server", "--port", port.ToString(CultureInfo.InvariantCulture), "--redis-url", redis.Url);
        doomed.OutputDataReceived += (_, _) => { };
        doomed.BeginOutputReadLine();
        doomed.BeginErrorReadLine();
        try
        {
            await using var survivor = await CtrlServer.StartAsync(new CtrlOptions { Redis = redis.Address });
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            await Eventually.TrueAsync(() => AnswersAsync(http), "the replica answers");

            var acknowledged = new ConcurrentBag<string>();
            var writers = Enumerable.Range(0, 8).Select(writer => WriteUntilItDiesAsync(http, writer, acknowledged)).ToArray();
            await Eventually.TrueAsync(() => acknowledged.Count > 300, "enough registrations");
            doomed.Kill();
            await Task.WhenAll(writers);

            var listed = (await survivor.OkAsync("/list_entities", """{"scope":"death"}""")).GetProperty("entities").EnumerateArray().Select(e => e.GetProperty("entity_id").GetString()).ToHashSet();
            Assert.DoesNotContain(acknowledged, id => !listed.Contains(id));
            Assert.Equal(listed.Count, await survivor.Store.RevisionAsync("death", "service", default));
        }
        finally
        {
            if (!doomed.HasExited) doomed.Kill();
            await doomed.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task WriteUntilItDiesAsync(HttpClient http, int writer, ConcurrentBag<string> acknowledged)
    {
        for (var i = 0; ; i++)
        {
            var id = $"w{writer}-{i}";
            try
            {
                using var body = new StringContent($$"""{"entity_id":"{{id}}","kind":"k","scope":"death"}""", Encoding.UTF8, "application/json");
                using var response = await http.PostAsync("/register", body);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                acknowledged.Add(id);
            }
            catch (HttpRequestException) { return; }
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try { return (await http.GetAsync("/ready")).StatusCode == HttpStatusCode.OK; }
        catch (HttpRequestException) { return false; }
    }
}
