using StackExchange.Redis;

namespace NanoAspire.Ctrl.Store;

/// <summary>
/// One multiplexed connection to Redis that outlives Redis: calls fail within the time-out while it is away and work again when it
/// is back. The client itself reconnects after a closed socket; a silent one (partition, frozen server) is replaced here.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    /// <summary>Calls under way at once; more are refused, so an outage cannot pile up memory.</summary>
    public const int MaxInFlight = 8192;
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DisposeDelay = TimeSpan.FromSeconds(5);

    private readonly ConfigurationOptions _options;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _replacing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private ConnectionMultiplexer _multiplexer;
    private IDatabase _database;
    private int _inFlight;
    private long _silentSince;

    private RedisConnection(ConfigurationOptions options, TimeSpan timeout, TimeProvider time, ILogger logger, ConnectionMultiplexer multiplexer)
    {
        (_options, _timeout, _time, _logger, _multiplexer) = (options, timeout, time, logger, multiplexer);
        _database = multiplexer.GetDatabase();
        Watch(multiplexer);
    }

    /// <summary>Raised whenever subscriptions may have been lost: the connection came back or was replaced.</summary>
    public event Action? Restored;

    /// <exception cref="StoreUnavailableException">Redis did not answer a PING.</exception>
    public static async Task<RedisConnection> ConnectAsync(RedisAddress address, TimeSpan timeout, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var options = new ConfigurationOptions
        {
            EndPoints = { { address.Host, address.Port } },
            Password = address.Password,
            DefaultDatabase = address.Database,
            Ssl = address.Tls,
            AbortOnConnectFail = false,
            ConnectRetry = 1,
            ConnectTimeout = (int)timeout.TotalMilliseconds,
            SyncTimeout = (int)timeout.TotalMilliseconds,
            KeepAlive = 10,
            ClientName = "nanoctrl",
            AllowAdmin = false,
        };
        var multiplexer = await OpenAsync(options, ct);
        var connection = new RedisConnection(options, timeout, time, logger, multiplexer);
        try { await connection.RunAsync(db => db.ExecuteAsync("PING"), ct); }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
        return connection;
    }

    public ISubscriber Subscriber => Volatile.Read(ref _multiplexer).GetSubscriber();

    /// <summary>Runs one command within the time-out.</summary>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _inFlight) > MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            throw new StoreUnavailableException($"{MaxInFlight} commands are waiting for Redis");
        }
        Task<T> running;
        try { running = command(Volatile.Read(ref _database)); }
        catch (Exception e)
        {
            Interlocked.Decrement(ref _inFlight);
            if (Translate(e) is { } translated) throw translated;
            throw;
        }
        // The slot is held until the reply or the connection's end, not only until our time-out.
        if (running.IsCompleted) Interlocked.Decrement(ref _inFlight);
        else
        {
            _ = running.ContinueWith(
                static (done, state) =>
                {
                    _ = done.Exception;
                    Interlocked.Decrement(ref ((RedisConnection)state!)._inFlight);
                },
                this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        try
        {
            var result = await running.WaitAsync(_timeout, _time, ct);
            Volatile.Write(ref _silentSince, 0);
            return result;
        }
        catch (TimeoutException e)
        {
            NoteSilence();
            throw new StoreUnavailableException("Redis does not answer", e);
        }
        catch (Exception e) when (Translate(e) is { } translated) { throw translated; }
    }

    /// <summary>Runs a script by digest, sending its text once to a server that does not know it.</summary>
    public async Task<RedisResult> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] args, CancellationToken ct)
    {
        try { return await RunAsync(db => db.ExecuteAsync("EVALSHA", Arguments(script.Sha1Hex, keys, args)), ct); }
        catch (StoreCommandException e) when (e.InnerException is RedisServerException { Message: var message } && message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await RunAsync(db => db.ExecuteAsync("EVAL", Arguments(script.Text, keys, args)), ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _multiplexer.CloseAsync(allowCommandsToComplete: false);
        _multiplexer.Dispose();
    }

    private static object[] Arguments(string script, RedisKey[] keys, RedisValue[] args)
    {
        var all = new object[2 + keys.Length + args.Length];
        all[0] = script;
        all[1] = keys.Length;
        for (var i = 0; i < keys.Length; i++) all[2 + i] = keys[i];
        for (var i = 0; i < args.Length; i++) all[2 + keys.Length + i] = args[i];
        return all;
    }

    private static Exception? Translate(Exception e) => e switch
    {
        RedisConnectionException => new StoreUnavailableException("Redis is not connected", e),
        ObjectDisposedException => new StoreUnavailableException("the connection to Redis was replaced", e),
        TimeoutException => new StoreUnavailableException("Redis does not answer", e),
        RedisServerException server when IsTransient(server.Message) => new StoreUnavailableException(server.Message, e),
        RedisServerException server => new StoreCommandException(server.Message, e),
        // What the client throws for commands that were queued when it was closed or replaced.
        RedisException => new StoreUnavailableException(e.Message, e),
        TaskCanceledException { Task.IsCanceled: true } canceled when !canceled.CancellationToken.IsCancellationRequested =>
            new StoreUnavailableException("the connection to Redis was lost", e),
        _ => null,
    };

    private static bool IsTransient(string message) =>
        message.StartsWith("LOADING", StringComparison.Ordinal) || message.StartsWith("BUSY ", StringComparison.Ordinal)
        || message.StartsWith("MASTERDOWN", StringComparison.Ordinal) || message.StartsWith("READONLY", StringComparison.Ordinal)
        || message.StartsWith("TRYAGAIN", StringComparison.Ordinal) || message.StartsWith("CLUSTERDOWN", StringComparison.Ordinal);

    private static async Task<ConnectionMultiplexer> OpenAsync(ConfigurationOptions options, CancellationToken ct)
    {
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options.Clone()).WaitAsync(ct);
        multiplexer.PreserveAsyncOrder = false;                              // replies complete as they come; requests do not depend on one another
        multiplexer.IncludeDetailInExceptions = false;
        return multiplexer;
    }

    private void Watch(ConnectionMultiplexer multiplexer)
    {
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Interactive && !_stopping.IsCancellationRequested) _logger.RedisLost(failure.FailureType.ToString());
        };
        multiplexer.ConnectionRestored += (_, restored) =>
        {
            if (restored.ConnectionType == ConnectionType.Interactive) _logger.RedisRestored();
            Restored?.Invoke();
        };
    }

    private void NoteSilence()
    {
        var now = _time.GetTimestamp();
        var since = Interlocked.CompareExchange(ref _silentSince, now, 0);
        if (since != 0 && _time.GetElapsedTime(since, now) >= SilenceLimit) _ = ReplaceAsync();
    }

    /// <summary>A socket that swallows requests without an answer is given up: the network may have forgotten it.</summary>
    private async Task ReplaceAsync()
    {
        if (!await _replacing.WaitAsync(TimeSpan.Zero)) return;
        try
        {
            _logger.RedisReplaced(SilenceLimit.TotalSeconds);
            var fresh = await OpenAsync(_options, _stopping.Token);
            Watch(fresh);
            Volatile.Write(ref _database, fresh.GetDatabase());
            var old = Interlocked.Exchange(ref _multiplexer, fresh);
            Volatile.Write(ref _silentSince, 0);
            Restored?.Invoke();
            await Task.Delay(DisposeDelay, _time, _stopping.Token);
            old.Dispose();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested) { }
        catch (Exception e) when (Translate(e) is { } translated) { _logger.RedisReplaceFailed(translated.Message); }
        finally { _replacing.Release(); }
    }
}
