using System.Threading.Channels;

namespace NanoAspire.Hosting.Run;

/// <summary>The last lines of one console and those who read it live. Slow readers lose the oldest unread lines, the backlog its oldest.</summary>
internal sealed class ResourceLog
{
    public const int Capacity = 10_000;
    public const int WatcherCapacity = 2_000;

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _backlog = new();
    private readonly List<Channel<LogLine>> _watchers = [];
    private int _lastNumber;
    private bool _completed;

    public bool HasWatchers
    {
        get { lock (_lock) return _watchers.Count > 0; }
    }

    public LogLine Add(string content, bool isError)
    {
        lock (_lock)
        {
            var line = new LogLine(++_lastNumber, content, isError);
            if (_backlog.Count == Capacity) _backlog.Dequeue();
            _backlog.Enqueue(line);
            _completed = false;                                  // a restarted resource goes on in the same log
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(line);
            return line;
        }
    }

    public IReadOnlyList<LogLine> Backlog()
    {
        lock (_lock) return [.. _backlog];
    }

    public void Clear()
    {
        lock (_lock) _backlog.Clear();
    }

    public void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            foreach (var watcher in _watchers) watcher.Writer.TryComplete();
        }
    }

    /// <summary>Returns whether this is the first reader.</summary>
    public bool Attach(out ChannelReader<LogLine> reader, out IReadOnlyList<LogLine> backlog)
    {
        var channel = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(WatcherCapacity) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            backlog = [.. _backlog];
            reader = channel.Reader;
            if (_completed) channel.Writer.TryComplete();
            _watchers.Add(channel);
            return _watchers.Count == 1;
        }
    }

    /// <summary>Returns whether this was the last reader.</summary>
    public bool Detach(ChannelReader<LogLine> reader)
    {
        lock (_lock)
        {
            _watchers.RemoveAll(w => ReferenceEquals(w.Reader, reader));
            return _watchers.Count == 0;
        }
    }
}
