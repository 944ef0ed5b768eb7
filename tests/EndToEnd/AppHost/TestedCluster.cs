using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace NanoAspire.EndToEnd.AppHost;

/// <summary>The cluster of the host program under test, with nothing but Aspire's testing API.</summary>
internal sealed class TestedCluster(IDistributedApplicationTestingBuilder builder, DistributedApplication app) : IAsyncDisposable
{
    public DistributedApplication App { get; } = app;

    /// <summary>Starts the host program with these arguments and waits until its router can serve.</summary>
    public static async Task<TestedCluster> StartAsync(params string[] args)
    {
        var ct = TestContext.Current.CancellationToken;
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.NanoAspire_AppHost>(args, ct);
        var app = await builder.BuildAsync(ct);
        var cluster = new TestedCluster(builder, app);
        try
        {
            await app.StartAsync(ct);
            await app.ResourceNotifications.WaitForResourceHealthyAsync("router", ct).WaitAsync(TimeSpan.FromSeconds(90), ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The answer's text; fails on anything but 200.</summary>
    public async Task<string> AskAsync(string question = "What is prefill?", string? model = "nano-demo")
    {
        using var client = App.CreateHttpClient("router");
        var body = new { model, messages = new[] { new { role = "user", content = question } }, temperature = 0 };
        using var response = await client.PostAsJsonAsync("/v1/chat/completions", body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!["choices"]![0]!["message"]!["content"]!.GetValue<string>();
    }

    /// <summary>The ids of a resource's instances.</summary>
    public async Task<IReadOnlyList<ResourceEvent>> InstancesAsync(string resource, int count)
    {
        var found = new Dictionary<string, ResourceEvent>();
        await foreach (var e in App.ResourceNotifications.WatchAsync(TestContext.Current.CancellationToken))
        {
            if (e.Resource.Name == resource && e.Snapshot.State?.Text == KnownResourceStates.Running) found[e.ResourceId] = e;
            if (found.Count == count) break;
        }
        return [.. found.Values];
    }

    /// <summary>Asks every instance at its own address for a metric and gives the sum of its series.</summary>
    public static async Task<double> MetricAsync(ResourceEvent instance, string name)
    {
        var urls = instance.Snapshot.EnvironmentVariables.Single(v => v.Name == "ASPNETCORE_URLS").Value!;
        using var client = new HttpClient { BaseAddress = new Uri(urls.Split(';')[0]) };
        var text = await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return text.Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal) && !l.StartsWith('#'))
            .Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await builder.DisposeAsync();
    }
}
