using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Tests.Demo;

/// <summary>Resources held in memory: tests change them and see what was executed.</summary>
internal sealed class FakeResources : IDashboardResources
{
    private readonly Lock _lock = new();
    private readonly List<DashboardResource> _resources = [];
    private readonly Channel<string> _changes = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, ConsoleLog> _console = new();

    public ConcurrentQueue<(string Resource, string Command)> Executed { get; } = new();

    public void Set(DashboardResource resource)
    {
        lock (_lock)
        {
            var at = _resources.FindIndex(known => known.Name == resource.Name);
            if (at < 0) _resources.Add(resource);
            else _resources[at] = resource;
        }
        _changes.Writer.TryWrite(resource.Name);
    }

    public void Write(string resource, string text, bool isError = false, DateTimeOffset? time = null, int number = 0) =>
        Console(resource).Add(new ConsoleLine(number, text, isError, time));

    public IReadOnlyList<DashboardResource> Snapshot() { lock (_lock) return [.. _resources]; }

    public IAsyncEnumerable<string> WatchAsync(CancellationToken cancellationToken) => _changes.Reader.ReadAllAsync(cancellationToken);

    public async IAsyncEnumerable<ConsoleLine> WatchConsoleAsync(string resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var log = Console(resource);
        for (var sent = 0; ;)
        {
            var (lines, more) = log.Read(sent);
            foreach (var line in lines) yield return line;
            sent += lines.Count;
            await more.WaitAsync(cancellationToken);
        }
    }

    public Task<CommandOutcome> ExecuteAsync(string resource, string command, CancellationToken cancellationToken)
    {
        Executed.Enqueue((resource, command));
        var known = Snapshot().Any(r => r.Name == resource && r.Commands.Any(c => c.Name == command && c.Enabled));
        return Task.FromResult(known ? new CommandOutcome(true, $"{resource}: {command} done") : new CommandOutcome(false, "There is no such command"));
    }

    private ConsoleLog Console(string resource) => _console.GetOrAdd(resource, _ => new ConsoleLog());

    /// <summary>Remembered lines; every reader sees all of them.</summary>
    private sealed class ConsoleLog
    {
        private readonly Lock _lock = new();
        private readonly List<ConsoleLine> _lines = [];
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Add(ConsoleLine line)
        {
            lock (_lock)
            {
                _lines.Add(line);
                _more.SetResult();
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public (List<ConsoleLine> Lines, Task More) Read(int from) { lock (_lock) return (_lines[from..], _more.Task); }
    }
}
