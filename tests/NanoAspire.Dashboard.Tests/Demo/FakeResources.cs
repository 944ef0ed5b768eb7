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
    private readonly ConcurrentDictionary<string, Channel<ConsoleLine>> _console = new();

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
        Console(resource).Writer.TryWrite(new ConsoleLine(number, text, isError, time));

    public IReadOnlyList<DashboardResource> Snapshot() { lock (_lock) return [.. _resources]; }

    public IAsyncEnumerable<string> WatchAsync(CancellationToken cancellationToken) => _changes.Reader.ReadAllAsync(cancellationToken);

    public async IAsyncEnumerable<ConsoleLine> WatchConsoleAsync(string resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var line in Console(resource).Reader.ReadAllAsync(cancellationToken)) yield return line;
    }

    public Task<CommandOutcome> ExecuteAsync(string resource, string command, CancellationToken cancellationToken)
    {
        Executed.Enqueue((resource, command));
        var known = Snapshot().Any(r => r.Name == resource && r.Commands.Any(c => c.Name == command && c.Enabled));
        return Task.FromResult(known ? new CommandOutcome(true, $"{resource}: {command} done") : new CommandOutcome(false, "There is no such command"));
    }

    private Channel<ConsoleLine> Console(string resource) => _console.GetOrAdd(resource, _ => Channel.CreateUnbounded<ConsoleLine>());
}
