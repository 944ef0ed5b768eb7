using System.IO.Hashing;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace NanoAspire.Tests.Hashing;

/// <summary>The one place where YARP itself hashes: the hash cookie of its session affinity. It must find the stand-in at run time.</summary>
public sealed class YarpSessionAffinityTests
{
    [Fact]
    public async Task Hash_cookie_affinity_names_the_destination_by_its_hash_and_keeps_to_it()
    {
        await using var a = await StartAsync(app => app.MapGet("/", () => "a"));
        await using var b = await StartAsync(app => app.MapGet("/", () => "b"));
        await using var proxy = await StartAsync(
            app => app.MapReverseProxy(),
            services => services.AddReverseProxy().LoadFromMemory(
                [new RouteConfig { RouteId = "r", ClusterId = "c", Match = new RouteMatch { Path = "{**rest}" } }],
                [
                    new ClusterConfig
                    {
                        ClusterId = "c",
                        LoadBalancingPolicy = "RoundRobin",
                        SessionAffinity = new SessionAffinityConfig { Enabled = true, Policy = "HashCookie", AffinityKeyName = "home" },
                        Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = a.Urls.Single() }, ["two"] = new() { Address = b.Urls.Single() } },
                    },
                ]));

        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(proxy.Urls.Single()) };
        using var first = await client.GetAsync("/");
        var body = await first.Content.ReadAsStringAsync();
        var cookie = Assert.Single(first.Headers.GetValues("Set-Cookie")).Split(';')[0];

        var destination = body == "a" ? "ONE" : "TWO";
        Assert.Equal($"home={Convert.ToHexStringLower(XxHash64.Hash(Encoding.Unicode.GetBytes(destination)))}", cookie);
        for (var i = 0; i < 4; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Cookie", cookie } } };
            using var again = await client.SendAsync(request);
            Assert.Equal(body, await again.Content.ReadAsStringAsync());
        }
    }

    private static async Task<WebApplication> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return app;
    }
}
