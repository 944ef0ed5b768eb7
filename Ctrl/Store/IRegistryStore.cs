namespace NanoAspire.Ctrl.Store;

/// <summary>
/// Registry of engines and entities under leases. A record lives <see cref="Lease"/> beyond its last registration or renewal; every
/// change, including a lapse, moves the revision of its scope and type and is announced.
/// </summary>
internal interface IRegistryStore
{
    static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    /// <summary>Creates or replaces a record. Null when the key is taken by another scope's or type's record.</summary>
    Task<long?> RegisterAsync(string scope, RegistryRecord record, CancellationToken ct);

    /// <summary>Extends the lease of a record or, for type <c>agent</c>, of a peer agent. False when there is none or another lease id owns it.</summary>
    Task<bool> RenewAsync(string scope, string type, string id, string? leaseId, CancellationToken ct);

    /// <summary>Removes a record. False when there is none or another lease id owns it.</summary>
    Task<bool> UnregisterAsync(string scope, string type, string id, string? leaseId, CancellationToken ct);

    /// <summary>The record's info JSON, or null.</summary>
    Task<string?> FindAsync(string scope, string type, string id, CancellationToken ct);

    /// <summary>Info JSON of the live records of one scope, in no order; null <paramref name="type"/> or <paramref name="kind"/> means any.</summary>
    Task<IReadOnlyList<string>> ListAsync(string scope, string? type, string? kind, CancellationToken ct);

    /// <summary>Number of changes so far in this scope and type; 0 before the first.</summary>
    Task<long> RevisionAsync(string scope, string type, CancellationToken ct);

    /// <summary>Signals when a scope and type may have changed. Signals can be lost in an outage: compare revisions now and then.</summary>
    IChangeSubscription Subscribe(string scope, string type);
}

/// <summary>One watcher's wake-up calls; disposing it ends them.</summary>
internal interface IChangeSubscription : IDisposable
{
    /// <summary>Completes at the next signal, at once when one came since the last call.</summary>
    ValueTask WaitAsync(CancellationToken ct);
}
