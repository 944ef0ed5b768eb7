using System.Net;
using NanoAspire.Ctrl.Store;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Api;

public sealed class EmbeddedConformanceTests : ConformanceContract, IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private CtrlServer? _server;

    private protected override CtrlServer Server => _server!;

    public async ValueTask InitializeAsync() => _server = await CtrlServer.StartAsync(time: _time);

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private protected override Task LapseAsync(string scope, string type, string id)
    {
        _time.Advance(IRegistryStore.Lease);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Without_redis_there_is_no_redis_address()
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Server.PostAsync("/get_redis_address", "{}")).Status);
        Assert.Equal("", Text(await Server.OkAsync("/start_peer_agent", """{"address":"127.0.0.1"}"""), "redis_address"));
    }
}
