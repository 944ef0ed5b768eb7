using System.Collections.Immutable;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Nodes;

/// <summary>
/// One run of one engine, with what the router counts about it. It outlives table snapshots, so counters are never lost or reset
/// while the engine stays; a restarted engine (new <see cref="EngineDescriptor.Incarnation"/>) is a new node.
/// </summary>
internal sealed class Node
{
    private readonly ProbeOptions _probe;
    private volatile EngineDescriptor _engine;
    private int _inFlight;
    private long _pendingPromptBytes;
    private int _probeStreak;   // good answers above zero, bad ones below; written by the prober alone
    private volatile bool _down;
    private bool _wasUp;        // the prober's as well
    private volatile bool _drained;
    private ImmutableArray<string> _learnedModels = [];
    private ImmutableArray<string> _learnedCapabilities = [];

    public Node(EngineDescriptor engine, RouterOptions options, TimeProvider time)
    {
        _engine = engine;
        _probe = options.Probe;
        Breaker = new CircuitBreaker(options.Breaker, time);
        Speed = new PromptSpeed(time);
        // Nothing is known of what an engine without models serves until it has answered.
        _down = engine.Models.Count == 0;
    }

    public string Id => _engine.Id;
    public string Url => _engine.Url;
    public EngineRole Role => _engine.Role;
    public EngineDescriptor Engine => _engine;
    public CircuitBreaker Breaker { get; }
    public PromptSpeed Speed { get; }

    public IReadOnlyList<string> Models => _engine.Models.Count > 0 ? _engine.Models : _learnedModels;

    /// <summary>Requests whose stage on this engine is running.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Prompt bytes sent to the engine for which no first token has come back.</summary>
    public long PendingPromptBytes => Interlocked.Read(ref _pendingPromptBytes);

    public NodeState State => _drained || _engine.Draining ? NodeState.Draining
        : _down ? (_probeStreak == 0 ? NodeState.Joining : NodeState.Down)
        : NodeState.Ready;

    /// <summary>Whether new requests may go here, its breaker aside.</summary>
    public bool TakesWork => !_down && !_drained && !_engine.Draining;

    public bool Has(string capability) => _engine.Capabilities.Contains(capability, StringComparer.Ordinal) || _learnedCapabilities.Contains(capability, StringComparer.Ordinal);

    /// <summary>An operator's wish: finish what runs, take nothing new.</summary>
    public bool Drained { get => _drained; set => _drained = value; }

    /// <summary>Starts a stage on this engine; null when the breaker says no.</summary>
    public NodeVisit? TryEnter(int promptBytes)
    {
        if (!Breaker.TryEnter()) return null;
        Interlocked.Increment(ref _inFlight);
        Interlocked.Add(ref _pendingPromptBytes, promptBytes);
        return new NodeVisit(this, promptBytes);
    }

    internal void Leave() => Interlocked.Decrement(ref _inFlight);

    internal void PromptDone(int promptBytes) => Interlocked.Add(ref _pendingPromptBytes, -promptBytes);

    internal void Update(EngineDescriptor engine) => _engine = engine;

    /// <summary>What an engine says of itself that nobody has told the router.</summary>
    internal void Learn(IEnumerable<string> models, IEnumerable<string> capabilities)
    {
        _learnedModels = [.. models];
        _learnedCapabilities = [.. capabilities];
    }

    /// <summary>Whether probes should come faster than usual.</summary>
    internal bool Suspect => _down || _probeStreak < 0;

    /// <summary>Takes in one probe's result.</summary>
    /// <returns>True when that changed whether the engine takes work.</returns>
    internal bool Probed(bool healthy)
    {
        _probeStreak = healthy ? Math.Max(_probeStreak, 0) + 1 : Math.Min(_probeStreak, 0) - 1;
        _wasUp |= !_down;
        // An engine that never was up joins with its first good answer: the count guards against flapping, and it has not flapped.
        if (healthy && _down && (!_wasUp || _probeStreak >= _probe.Up))
        {
            _down = false;
            return true;
        }
        if (!healthy && !_down && -_probeStreak >= _probe.Down)
        {
            _down = true;
            return true;
        }
        return false;
    }
}
