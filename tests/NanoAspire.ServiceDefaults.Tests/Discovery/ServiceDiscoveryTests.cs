using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using NanoAspire.ServiceDefaults.Discovery;

namespace NanoAspire.ServiceDefaults.Tests.Discovery;

public sealed class ServiceDiscoveryTests
{
    [Theory]
    [InlineData("http://ctrl/engines?x=1", "http://localhost:4479/engines?x=1")]              // key of the scheme
    [InlineData("https+http://ctrl/", "https://localhost:4480/")]                             // the first preferred scheme that exists
    [InlineData("http+https://ctrl/", "http://localhost:4479/")]
    [InlineData("http://_admin.ctrl/x", "http://localhost:9000/base/x")]                      // named endpoint, its path in front
    [InlineData("http://router/", "http://router.internal:81/")]                              // default wins over the scheme
    [InlineData("https+http://plain/", "https://10.0.0.1:7000/")]                             // host:port takes the preferred scheme
    [InlineData("http://elsewhere.example:8080/a", "http://elsewhere.example:8080/a")]        // not configured: left to DNS
    [InlineData("https+http://elsewhere/a", "https://elsewhere/a")]
    [InlineData("http://mixed/", "http://h1:1/")]
    [InlineData("https+http://mixed/", "https://h2:2/")]                                      // one key, two schemes: the better stays
    public void Logical_addresses_resolve(string address, string expected)
    {
        using var resolver = Resolver(
            ("ctrl:http:0", "http://localhost:4479"), ("ctrl:https:0", "https://localhost:4480"), ("ctrl:admin:0", "http://localhost:9000/base"),
            ("router:default:0", "http://router.internal:81"), ("router:http:0", "http://wrong"),
            ("plain:default", "10.0.0.1:7000"),
            ("mixed:default:0", "http://h1:1"), ("mixed:default:1", "https://h2:2"));
        Assert.Equal(expected, resolver.Resolve(new Uri(address)).ToString());
    }

    [Fact]
    public void Several_addresses_take_turns_in_order_of_their_index()
    {
        using var resolver = Resolver(("e:http:10", "http://c"), ("e:http:0", "http://a"), ("e:http:2", "http://b"));
        var hosts = Enumerable.Range(0, 6).Select(_ => resolver.Resolve(new Uri("http://e/")).Host);
        Assert.Equal(["a", "b", "c", "a", "b", "c"], hosts);
    }

    [Theory]
    [InlineData("bad:http:first", "http://a", "bad:http:first")]
    [InlineData("bad:http:0", "http://", "neither")]
    [InlineData("bad:default:0", "tcp://a:1", "offers no http")]
    public void Malformed_configuration_is_named(string key, string value, string expected)
    {
        using var resolver = Resolver((key, value));
        var failure = Assert.Throws<InvalidOperationException>(() => resolver.Resolve(new Uri("http://bad/")));
        Assert.Contains(expected, failure.Message);
    }

    [Fact]
    public void A_reloaded_configuration_is_seen()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Services:e:http:0", "http://old")]).Build();
        using var resolver = new ServiceEndpointResolver(configuration);
        Assert.Equal("old", resolver.Resolve(new Uri("http://e/")).Host);
        configuration["Services:e:http:0"] = "http://new";
        configuration.Reload();
        Assert.Equal("new", resolver.Resolve(new Uri("http://e/")).Host);
    }

    [Fact]
    public async Task Handler_puts_the_logical_address_back()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(Configuration(("e:http:0", "http://real:5")));
        Uri? sentTo = null;
        services.AddHttpClient("c").AddServiceDiscovery().AddServiceDiscovery().ConfigurePrimaryHttpMessageHandler(() => new Recorder(request => sentTo = request.RequestUri));
        await using var provider = services.BuildServiceProvider();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://e/x");
        using var response = await provider.GetRequiredService<IHttpClientFactory>().CreateClient("c").SendAsync(request);
        Assert.Equal(new Uri("http://real:5/x"), sentTo);
        Assert.Equal(new Uri("http://e/x"), request.RequestUri);
    }

    private static ServiceEndpointResolver Resolver(params (string Key, string Value)[] entries) => new(Configuration(entries));

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] entries) => new ConfigurationBuilder()
        .AddInMemoryCollection(entries.Select(entry => KeyValuePair.Create($"Services:{entry.Key}", (string?)entry.Value))).Build();

    private sealed class Recorder(Action<HttpRequestMessage> record) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            record(request);
            return Task.FromResult(new HttpResponseMessage());
        }
    }
}
