using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Leases;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Relay;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Leases;

public sealed class KvLeaseTableTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly ListNodeSource _source = new();
    private readonly RouterOptions _options = new();
    private ScriptedEngine _engine = null!;
    private EngineClient _client = null!;
    private NodeTable _nodes = null!;
    private KvLeaseTable _leases = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await ScriptedEngine.StartAsync(EngineRole.Prefill);
        _source.Set(_engine.Descriptor with { Incarnation = "1" });
        _client = new EngineClient(_options);
        _nodes = new NodeTable([_source], _options, _time, NullLogger<NodeTable>.Instance);
        _leases = new KvLeaseTable(_client, _nodes, _time, NullLogger<KvLeaseTable>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _leases.Dispose();
        _nodes.Dispose();
        _client.Dispose();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task A_lease_is_released_once_however_often_it_is_asked_to()
    {
        var lease = _leases.Register(Node, [41]);
        Assert.Equal(1, _leases.Held);
        Parallel.For(0, 32, _ => lease.Release());
        lease.Dispose();
        await Settled();
        Assert.Equal("""{"seq_ids":[41]}""", Assert.Single(_engine.Freed));
    }

    [Fact]
    public async Task What_gathers_while_the_engine_is_slow_goes_in_one_call()
    {
        var gate = new TaskCompletionSource();
        _engine.OnFree = _ => gate.Task;
        _leases.Register(Node, [1]).Release();
        await _engine.SeenAsync(engine => engine.Frees.Count == 1);
        for (var id = 2; id <= 100; id++) _leases.Register(Node, [id]).Release();
        gate.SetResult();
        await Settled();
        Assert.Equal(2, _engine.Frees.Count);
        Assert.Equal(Enumerable.Range(2, 99), _engine.Frees[1].Body["seq_ids"]!.AsArray().Select(id => (int)id!));
    }

    [Fact]
    public async Task A_failed_call_is_repeated_after_growing_pauses_and_then_given_up()
    {
        var calls = new ConcurrentQueue<DateTimeOffset>();
        _engine.OnFree = http =>
        {
            calls.Enqueue(_time.GetUtcNow());
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        _leases.Register(Node, [41]).Release();
        await Eventually.Async(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            return _leases is { Held: 0, Pending: 0 };
        });
        var pauses = calls.Zip(calls.Skip(1), (earlier, later) => (later - earlier).TotalSeconds).ToArray();
        Assert.Equal(3, pauses.Length);
        Assert.True(pauses is [>= 0.2, >= 1, >= 5], string.Join(", ", pauses));
    }

    [Fact]
    public async Task A_restarted_engine_is_not_told_to_free_its_predecessors_sequences()
    {
        var lease = _leases.Register(Node, [41]);
        _source.Set(_engine.Descriptor with { Incarnation = "2" });
        lease.Release();
        await Settled();
        Assert.Empty(_engine.Frees);
    }

    [Fact]
    public async Task An_engine_that_left_the_table_is_told_all_the_same()
    {
        var lease = _leases.Register(Node, [41]);
        _source.Set();
        lease.Release();
        await Settled();
        Assert.Single(_engine.Frees);
    }

    [Fact]
    public async Task Stopping_releases_what_is_still_held()
    {
        _leases.Register(Node, [41, 42]);
        await _leases.StopAsync(CancellationToken.None);
        Assert.Equal("""{"seq_ids":[41,42]}""", Assert.Single(_engine.Freed));
        Assert.Equal(0, _leases.Held);
    }

    private Node Node => _nodes.Current.Nodes[0];

    private Task Settled() => Eventually.Async(() => _leases is { Held: 0, Pending: 0 });
}
