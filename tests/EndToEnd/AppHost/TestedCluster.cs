using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NanoAspire.EndToEnd.AppHost;

/// <summary>The cluster of the host program under test, with nothing but Aspire's testing API.</summary>
internal sealed class TestedCluster(IDistributedApplicationTestingBuilder builder, DistributedApplication app) : IAsyncDisposable
{
    public DistributedApplication App { get; } = app;

    /// <summary>Starts the host program with these arguments and waits until its router can serve.</summary>
    public static Task<TestedCluster> StartAsync(params string[] args) => StartAsync(withDashboard: false, args);

    /// <inheritdoc cref="StartAsync(string[])"/>
    public static async Task<TestedCluster> StartAsync(bool withDashboard, params string[] args)
    {
        var ct = TestContext.Current.CancellationToken;
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.NanoAspire_AppHost>(args, (options, _) => options.DisableDashboard = !withDashboard, ct);
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

    /// <summary>The address that signs a browser in to the dashboard.</summary>
    public string DashboardLogin => App.Services.GetRequiredService<IConfiguration>()["AppHost:DashboardLoginUrl"]!;

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

    /// <summary>A streamed completion of exactly so many tokens, from its first byte on.</summary>
    public async Task<StreamReader> StreamAsync(int tokens)
    {
        var client = App.CreateHttpClient("router");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "nano-demo", prompt = "Tell", max_tokens = tokens, ignore_eos = true, stream = true }),
        };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}");
        return new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Executes a command on a resource or on one of its instances; fails when the command does.</summary>
    public async Task CommandAsync(string resource, string command, string? instance = null)
    {
        var result = await App.ResourceCommands.ExecuteCommandAsync(instance ?? resource, command, TestContext.Current.CancellationToken);
        Assert.True(result.Success, $"{command} on {instance ?? resource}: {result.ErrorMessage}");
    }

    /// <summary>Ends the process of an instance as the kernel would.</summary>
    public static void Kill(ResourceEvent instance)
    {
        using var process = System.Diagnostics.Process.GetProcessById((int)instance.Snapshot.Properties.Single(p => p.Name == "executable.pid").Value!);
        process.Kill();
    }

    /// <summary>The instances of a resource, once there are so many and all are healthy.</summary>
    public async Task<IReadOnlyList<ResourceEvent>> InstancesAsync(string resource, int count)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        var found = new Dictionary<string, ResourceEvent>();
        await foreach (var e in App.ResourceNotifications.WatchAsync(limit.Token))
        {
            if (e.Resource.Name != resource) continue;
            if (e.Snapshot is { IsHidden: false, HealthStatus: HealthStatus.Healthy }) found[e.ResourceId] = e;
            else found.Remove(e.ResourceId);
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
