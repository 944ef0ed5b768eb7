namespace NanoAspire.Dashboard.Telemetry;

/// <summary>The last log records, oldest out. Thread-safe.</summary>
internal sealed class LogStore(int maxLogs)
{
    private readonly Lock _lock = new();
    private readonly Queue<LogRecord> _records = new();
    private long _lastId;

    public void Add(IReadOnlyList<LogRecord> records)
    {
        lock (_lock)
        {
            foreach (var record in records)
            {
                _records.Enqueue(record with { Id = ++_lastId });
                if (_records.Count > maxLogs) _records.Dequeue();
            }
        }
    }

    /// <summary>In the order of arrival.</summary>
    public IReadOnlyList<LogRecord> All() { lock (_lock) return [.. _records]; }

    public void Clear() { lock (_lock) _records.Clear(); }
}
