using System.Diagnostics.Metrics;

namespace NanoAspire.TransferPeer;

/// <summary>Open transfer connections of the process, as its metrics tell. Made before the first one.</summary>
internal sealed class ConnectionCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _reader, _source;

    public ConnectionCounter()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "nanoaspire.transfer.connections") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, change, tags, _) => Interlocked.Add(ref tags[0].Value is "reader" ? ref _reader : ref _source, change));
        _listener.Start();
    }

    public (string, long)[] Counts => [(ProcessResources.ReaderConnections, Interlocked.Read(ref _reader)), (ProcessResources.SourceConnections, Interlocked.Read(ref _source))];

    public void Dispose() => _listener.Dispose();
}
