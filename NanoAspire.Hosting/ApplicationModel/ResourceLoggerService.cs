using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NanoAspire.Hosting.Run;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// The console of every resource. A line of an instance is kept under the instance's id and under the resource's name;
/// what the host writes about a resource goes to the name and to all its instances.
/// </summary>
public class ResourceLoggerService
{
    private readonly ConcurrentDictionary<string, ResourceLog> _logs = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, string> _owners = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ChannelWriter<LogSubscriber>> _subscriberWatchers = [];

    internal ResourceLoggerService(IServiceProvider services) => Services = services;

    internal IServiceProvider Services { get; }

    /// <summary>Called for each new line with the id it was written for; the console printer listens.</summary>
    internal event Action<string, LogLine>? LineWritten;

    public ILogger GetLogger(IResource resource) => GetLogger(resource.Name);

    /// <summary>A logger whose lines appear in the console of a resource or instance.</summary>
    public ILogger GetLogger(string resourceName) => new ResourceLogger((text, isError) => Write(resourceName, text, isError));

    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(IResource resource) => WatchAsync(resource.Name);

    /// <summary>The backlog, then new lines as they come, until the log is completed.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName)
    {
        await foreach (var batch in WatchAsync(resourceName, default).ConfigureAwait(false)) yield return batch;
    }

    public IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(IResource resource) => GetAllAsync(resource.Name);

    /// <summary>What the backlog holds now.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (LogOf(resourceName).Backlog() is { Count: > 0 } lines) yield return lines;
    }

    public void Complete(IResource resource) => Complete(resource.Name);

    /// <summary>Ends the log: watchers finish once they have read it.</summary>
    public void Complete(string name) => LogOf(name).Complete();

    public void ClearBacklog(string resourceName) => LogOf(resourceName).Clear();

    /// <summary>Whether each resource has readers, as that changes.</summary>
    public async IAsyncEnumerable<LogSubscriber> WatchAnySubscribersAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<LogSubscriber>(new BoundedChannelOptions(ResourceLog.WatcherCapacity) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_subscriberWatchers) _subscriberWatchers.Add(channel.Writer);
        try
        {
            foreach (var (name, log) in _logs)
            {
                if (log.HasWatchers) yield return new LogSubscriber(name, AnySubscribers: true);
            }
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return change;
        }
        finally
        {
            lock (_subscriberWatchers) _subscriberWatchers.Remove(channel.Writer);
        }
    }

    internal async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName, [EnumeratorCancellation] CancellationToken ct)
    {
        var log = LogOf(resourceName);
        if (log.Attach(out var reader, out var backlog)) Announce(resourceName, any: true);
        try
        {
            if (backlog.Count > 0) yield return backlog;
            while (await reader.WaitToReadAsync(ct).ConfigureAwait(false))
            {
                var batch = new List<LogLine>();
                while (batch.Count < ResourceLog.WatcherCapacity && reader.TryRead(out var line)) batch.Add(line);
                if (batch.Count > 0) yield return batch;
            }
        }
        finally
        {
            if (log.Detach(reader)) Announce(resourceName, any: false);
        }
    }

    /// <summary>Makes <paramref name="instanceId"/>'s lines part of the resource's log too.</summary>
    internal void Link(string instanceId, string resourceName)
    {
        if (!string.Equals(instanceId, resourceName, StringComparison.OrdinalIgnoreCase)) _owners[instanceId] = resourceName;
    }

    internal void Unlink(string instanceId)
    {
        _owners.TryRemove(instanceId, out _);
        if (_logs.TryRemove(instanceId, out var log)) log.Complete();
    }

    internal void Write(string nameOrId, string content, bool isError)
    {
        var line = LogOf(nameOrId).Add(content, isError);
        if (_owners.TryGetValue(nameOrId, out var owner))
        {
            LogOf(owner).Add(content, isError);
        }
        else
        {
            foreach (var (instance, name) in _owners)
            {
                if (string.Equals(name, nameOrId, StringComparison.OrdinalIgnoreCase)) LogOf(instance).Add(content, isError);
            }
        }
        LineWritten?.Invoke(nameOrId, line);
    }

    private ResourceLog LogOf(string nameOrId) => _logs.GetOrAdd(nameOrId, static _ => new ResourceLog());

    private void Announce(string name, bool any)
    {
        lock (_subscriberWatchers)
        {
            foreach (var watcher in _subscriberWatchers) watcher.TryWrite(new LogSubscriber(name, any));
        }
    }
}
