using NanoAspire.Ctrl.Store;
using NanoAspire.Ctrl.Tests.Support;

namespace NanoAspire.Ctrl.Tests.Store;

public sealed class EmbeddedStoreTests : CtrlStoreContract
{
    private readonly ManualTime _time = new();
    private readonly EmbeddedStore _store;

    public EmbeddedStoreTests() => _store = new EmbeddedStore(_time);

    private protected override ICtrlStore Store => _store;

    private protected override Task LetLeasesLapseAsync()
    {
        _time.Advance(IRegistryStore.Lease);
        return Task.CompletedTask;
    }

    private protected override Task LetGraceEndAsync()
    {
        _time.Advance(RedisStore.OrphanGrace);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_renewed_lease_outlives_the_first_one()
    {
        await _store.RegisterAsync("", Samples.Entity("a"), default);
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.True(await _store.RenewAsync("", Names.Service, "a", leaseId: null, default));
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.NotNull(await _store.FindAsync("", Names.Service, "a", default));
    }
}
