using NanoAspire.Router.Options;

namespace NanoAspire.Router.Nodes;

/// <summary>
/// Leaves an engine alone after failures in a row, then lets one request at a time try it until enough of them succeed.
/// Requests ended by their client count as nothing.
/// </summary>
internal sealed class CircuitBreaker(BreakerOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _failures;
    private int _successes;
    private bool _open;
    private bool _trying;
    private long _openedAt;

    public BreakerState State
    {
        get
        {
            lock (_lock) return !_open ? BreakerState.Closed : Rested ? BreakerState.HalfOpen : BreakerState.Open;
        }
    }

    /// <summary>Failures since the last success.</summary>
    public int Failures { get { lock (_lock) return _failures; } }

    /// <summary>Whether <see cref="TryEnter"/> would succeed now.</summary>
    public bool Allows { get { lock (_lock) return !_open || (Rested && !_trying); } }

    /// <summary>Asks to send a request. Each true is answered by exactly one of <see cref="Succeed"/>, <see cref="Fail"/> and <see cref="Forget"/>.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (!_open) return true;
            if (!Rested || _trying) return false;
            return _trying = true;
        }
    }

    public void Succeed()
    {
        lock (_lock)
        {
            _trying = false;
            _failures = 0;
            if (!_open || ++_successes < options.Successes) return;
            _open = false;
        }
    }

    public void Fail()
    {
        lock (_lock)
        {
            _trying = false;
            _successes = 0;
            _failures++;
            // A failure while open is a failed trial, or a request that started before: either way the rest starts anew.
            if (!_open && _failures < options.Failures) return;
            _open = true;
            _openedAt = time.GetTimestamp();
        }
    }

    /// <summary>The request ended without saying anything about the engine.</summary>
    public void Forget()
    {
        lock (_lock) _trying = false;
    }

    private bool Rested => time.GetElapsedTime(_openedAt) >= options.OpenFor;
}
