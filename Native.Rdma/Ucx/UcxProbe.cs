using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>
/// Connects to a peer on a worker of its own before the worker of the transfers does. Over a network UCX 1.13 ends the process by an
/// assertion when a connection that was never made is closed, or given up by itself after minutes. So such a worker is left as it
/// is and never moves again; it costs memory, so after a few of them UCX connects to nobody new.
/// </summary>
internal sealed class UcxProbe(UcpContext context, TimeSpan patience, TimeProvider time, ILogger logger)
{
    private const int MaxAbandoned = 4;
    /// <summary>Workers of peers that were reached; beyond it all are probed again.</summary>
    private const int MaxKnown = 1024;

    /// <summary>Never collected: finalizers would close what must not be closed.</summary>
    private static readonly ConcurrentBag<(UcxThread, UcxConnection)> Abandoned = [];

    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _known = new();
    private int _attempts;

    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>One attempt for all who ask at the same time; what failed is tried again by who asks later.</summary>
    /// <returns>Null when the peer's worker is reached; else why not.</returns>
    /// <exception cref="UcxException">No worker can be made.</exception>
    public async Task<string?> TryReachAsync(UcxDescription remote, bool peerErrors, CancellationToken cancellationToken)
    {
        if (_known.Count > MaxKnown) _known.Clear();
        var key = Convert.ToBase64String(remote.WorkerAddress);
        var attempt = _known.GetOrAdd(key, _ => new(() => ConnectAsync(remote, peerErrors)));
        try
        {
            return await attempt.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (attempt.Value is { IsCompleted: true } ended && !(ended.IsCompletedSuccessfully && ended.Result is null)) _known.TryRemove(new(key, attempt));
        }
    }

    private async Task<string?> ConnectAsync(UcxDescription remote, bool peerErrors)
    {
        if (Abandoned.Count >= MaxAbandoned) return $"{MaxAbandoned} connections could not be made in this process; no more are tried";
        Interlocked.Increment(ref _attempts);
        var thread = new UcxThread(context, "ucx-probe", TimeSpan.Zero, time, logger);
        UcxConnection? connection = null;
        try
        {
            connection = await thread.RunAsync(worker => new UcxConnection(thread, worker, remote, peerErrors)).ConfigureAwait(false);
            var flush = UcxBatch.Flush(connection, CancellationToken.None);
            thread.Start(flush);
            await flush.Completion.WaitAsync(patience, time).ConfigureAwait(false);
            return null;
        }
        catch (TimeoutException)
        {
            Abandoned.Add((thread, connection!));
            thread.Abandon();
            connection = null;
            return $"no connection to the peer's worker within {patience.TotalSeconds:0.#} s";
        }
        catch (Exception e) when (e is TransferException or UcxException)
        {
            return e.Message;
        }
        finally
        {
            if (connection is not null) thread.Post(connection.Dispose);
            await thread.DisposeAsync().ConfigureAwait(false);
        }
    }
}
