namespace NanoAspire.Ctrl.Store;

/// <summary>Everything the service keeps. Errors: <see cref="StoreUnavailableException"/>, <see cref="StoreCommandException"/>, <see cref="StoreFullException"/>.</summary>
internal interface ICtrlStore : IRegistryStore, IPeerStore, IAsyncDisposable
{
    /// <summary>One phrase for the start-up line, without credentials.</summary>
    string Description { get; }

    /// <summary>Redis URL that agents are sent to, or null when there is no Redis.</summary>
    RedisAddress? Redis { get; }

    /// <summary>Returns when the store answers.</summary>
    Task PingAsync(CancellationToken ct);

    /// <summary>Indexes live records that another control plane left in the same Redis. Returns how many were new.</summary>
    Task<int> AdoptAsync(CancellationToken ct);

    /// <summary>Takes down what lapsed: records get their REMOVE event, agents long gone are cleaned up. Returns how many.</summary>
    Task<int> SweepAsync(CancellationToken ct);
}
