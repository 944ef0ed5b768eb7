using System.Collections.Concurrent;

namespace NanoAspire.Native.Rdma.Peers;

/// <summary>A wanted connection. Everything but the session's region cache is guarded by the agent's lock.</summary>
internal sealed class PeerLink(string alias)
{
    /// <summary>Incarnations that were replaced; the control plane or a copy of it may still show them.</summary>
    private const int MaxRetired = 16;

    private readonly Queue<ulong> _retired = new();

    public string Alias => alias;
    public PeerState State { get; private set; } = PeerState.Waiting;
    public string? Cause { get; private set; } = "not registered";
    public PeerSession? Session { get; private set; }
    public int Attempts { get; private set; }
    public int Missed { get; set; }
    /// <summary>The control plane does not list the peer (any more), but did not say that it was cleaned up.</summary>
    public bool Suspect { get; set; }
    /// <summary>An attempt or a ping is under way.</summary>
    public bool Working { get; set; }
    public long NextWork { get; set; }
    /// <summary>Completed and replaced with every change of state.</summary>
    public TaskCompletionSource Changed { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsRetired(ulong incarnation) => _retired.Contains(incarnation);

    public void Retire(ulong incarnation)
    {
        if (_retired.Contains(incarnation)) return;
        if (_retired.Count == MaxRetired) _retired.Dequeue();
        _retired.Enqueue(incarnation);
    }

    public void Adopt(PeerRecord record)
    {
        Session = new(record);
        (Attempts, Missed, Suspect) = (0, 0, false);
        Set(PeerState.Connecting, "connecting");
    }

    public void Succeeded()
    {
        (Attempts, Missed) = (0, 0);
        if (State != PeerState.Connected) Set(PeerState.Connected, cause: null);
    }

    public void Failed(string cause)
    {
        Attempts++;
        Set(PeerState.Failed, cause);
    }

    /// <summary>Ends the session; the caller cancels what it returns outside of the lock.</summary>
    public PeerSession? End(PeerState state, string cause)
    {
        var ended = Session;
        Session = null;
        Set(state, cause);
        return ended;
    }

    public PeerConnection Snapshot() => new(alias, State, Session?.Record.Peer, Session?.Record.Transport, Attempts, Cause);

    private void Set(PeerState state, string? cause)
    {
        Telemetry.StateChanged(State, state);
        (State, Cause) = (state, cause);
        Changed.TrySetResult();
        Changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>One incarnation of a peer: what was learnt of it ends with it.</summary>
internal sealed class PeerSession(PeerRecord record)
{
    public PeerRecord Record => record;
    /// <summary>Cancelled when this incarnation is gone or not wanted any more. Never disposed: its tokens outlive it.</summary>
    public CancellationTokenSource Gone { get; } = new();
    public ConcurrentDictionary<string, PeerRegion> Regions { get; } = new(StringComparer.Ordinal);
}
