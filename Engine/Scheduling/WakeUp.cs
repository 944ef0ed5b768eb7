namespace NanoAspire.Engine.Scheduling;

/// <summary>Lets one thread sleep until another has something for it; a signal that nobody waits for is kept.</summary>
internal sealed class WakeUp
{
    private readonly object _gate = new();
    private bool _signalled;

    public void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            Monitor.Pulse(_gate);
        }
    }

    public void Wait()
    {
        lock (_gate)
        {
            while (!_signalled) Monitor.Wait(_gate);
            _signalled = false;
        }
    }
}
