using System.Diagnostics.Metrics;

namespace NanoAspire.Native.Rdma.Tests;

/// <summary>TCP connections of all transports of this process, opened less closed since it was made.</summary>
internal sealed class OpenConnections : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count, _opened;

    public OpenConnections()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "nanoaspire.transfer.connections") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, change, _, _) =>
        {
            Interlocked.Add(ref _count, change);
            if (change > 0) Interlocked.Add(ref _opened, change);
        });
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);
    public long Opened => Interlocked.Read(ref _opened);

    public void Dispose() => _listener.Dispose();
}
