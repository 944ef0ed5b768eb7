using System.Threading.Channels;
using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

/// <summary>
/// Keeps one Redis subscription for each topic somebody here watches. Wanted topics are reconciled by one task; messages lost while
/// Redis was away cost a moment only, since every watcher compares revisions on its own timer too.
/// </summary>
internal sealed class RedisSubscriptions : IAsyncDisposable
{
    private readonly RedisConnection _redis;
    private readonly ILogger _logger;
    private readonly Channel<bool> _work = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _reconciling;
    private readonly Dictionary<(string Scope, string Type), RedisChannel> _subscribed = [];
    private volatile bool _resubscribe;

    public RedisSubscriptions(RedisConnection redis, ILogger logger)
    {
        (_redis, _logger) = (redis, logger);
        Hub = new ChangeHub { TopicChanged = (_, _, _) => _work.Writer.TryWrite(true) };
        redis.Restored += () =>
        {
            _resubscribe = true;
            _work.Writer.TryWrite(true);
        };
        _reconciling = ReconcileAsync();
    }

    public ChangeHub Hub { get; }

    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _reconciling;
    }

    private async Task ReconcileAsync()
    {
        while (await _work.Reader.WaitToReadAsync())
        {
            while (_work.Reader.TryRead(out _)) { }
            var wanted = Hub.Topics().ToHashSet();
            if (_resubscribe)
            {
                _resubscribe = false;
                _subscribed.Clear();
            }
            try
            {
                var subscriber = _redis.Subscriber;
                foreach (var topic in wanted.Except(_subscribed.Keys).ToArray())
                {
                    RedisChannel channel = new RedisKeys(topic.Scope).Channel(topic.Type);
                    await subscriber.SubscribeAsync(channel, (_, _) => Hub.Notify(topic.Scope, topic.Type));
                    _subscribed[topic] = channel;
                    Hub.Notify(topic.Scope, topic.Type);                     // what happened before the subscription stood
                }
                foreach (var topic in _subscribed.Keys.Except(wanted).ToArray())
                {
                    await subscriber.UnsubscribeAsync(_subscribed[topic]);
                    _subscribed.Remove(topic);
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
            {
                _logger.SubscribeFailed(e.Message);                          // tried again when the connection is restored
            }
        }
    }
}
