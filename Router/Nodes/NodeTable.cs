using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Nodes;

/// <summary>Joins what the sources list into one table of nodes and keeps each node's state over their changes.</summary>
internal sealed class NodeTable : IDisposable
{
    private readonly Lock _writing = new();
    private readonly ImmutableArray<INodeSource> _sources;
    private readonly RouterOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<IDisposable> _subscriptions = [];
    private readonly ChangeSignal _changed = new();
    private volatile NodeSnapshot _current = NodeSnapshot.Empty;

    /// <param name="sources">Where two list the same URL, the earlier one's word counts.</param>
    /// <param name="options">Breaker and probe settings of the nodes.</param>
    /// <param name="time">The nodes' clock.</param>
    /// <param name="logger">Told of engines that come and go.</param>
    public NodeTable(IEnumerable<INodeSource> sources, RouterOptions options, TimeProvider time, ILogger<NodeTable> logger)
    {
        _sources = [.. sources];
        _options = options;
        _time = time;
        _logger = logger;
        foreach (var source in _sources) _subscriptions.Add(ChangeToken.OnChange(source.GetChangeToken, Refresh));
        Refresh();
    }

    public NodeSnapshot Current => _current;

    /// <summary>Fires when the table has changed.</summary>
    public IChangeToken GetChangeToken() => _changed.Token;

    /// <summary>Reads all sources again. Called on their changes, and when a node's models became known.</summary>
    public void Refresh()
    {
        lock (_writing)
        {
            var known = _current.Nodes.ToDictionary(node => (node.Id, node.Url, node.Engine.Incarnation));
            var nodes = ImmutableArray.CreateBuilder<Node>();
            var urls = new HashSet<string>(StringComparer.Ordinal);
            foreach (var source in _sources)
            {
                // The last of a source wins: an engine restarted on its old address is listed after its former self.
                foreach (var engine in source.Current.Reverse())
                {
                    if (!urls.Add(engine.Url)) continue;
                    if (known.Remove((engine.Id, engine.Url, engine.Incarnation), out var node)) node.Update(engine);
                    else
                    {
                        node = new Node(engine, _options, _time);
                        Log.NodeJoined(_logger, engine.Id, engine.Role, engine.Url);
                    }
                    nodes.Add(node);
                }
            }
            foreach (var gone in known.Values) Log.NodeLeft(_logger, gone.Id, gone.Url, gone.InFlight);
            nodes.Sort(static (a, b) => string.CompareOrdinal(a.Url, b.Url));
            var all = nodes.DrainToImmutable();
            _current = new NodeSnapshot { Nodes = all, Models = Pools(all) };
        }
        _changed.Fire();
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions) subscription.Dispose();
    }

    /// <summary>One pool a name, with every node that answers to it.</summary>
    private static FrozenDictionary<string, ModelPool> Pools(ImmutableArray<Node> nodes)
    {
        var served = nodes.Select(node => (Node: node, Names: node.Models.Select(Trimmed).Where(name => name.Length > 0).Distinct().ToArray()))
            .Where(entry => entry.Names.Length > 0).ToArray();
        var pools = new Dictionary<string, ModelPool>(StringComparer.Ordinal);
        // An encoder alone makes no model: it belongs to whoever serves text under its name.
        var texts = served.Where(entry => entry.Node.Role is not EngineRole.Encoder).ToArray();
        foreach (var byName in texts.SelectMany(entry => entry.Names).Distinct(StringComparer.Ordinal))
        {
            var members = texts.Where(entry => entry.Names.Contains(byName, StringComparer.Ordinal)).ToArray();
            var aliases = members.SelectMany(entry => entry.Names).Distinct(StringComparer.Ordinal).ToImmutableArray();
            pools[byName] = new ModelPool
            {
                Name = members[0].Names[0],
                Aliases = aliases,
                Prefill = In(EngineRole.Prefill),
                Decode = In(EngineRole.Decode),
                Hybrid = In(EngineRole.Hybrid),
                Encoder = [.. served.Where(entry => entry.Node.Role is EngineRole.Encoder && entry.Names.Any(name => aliases.Contains(name, StringComparer.Ordinal))).Select(entry => entry.Node)],
            };

            ImmutableArray<Node> In(EngineRole role) => [.. members.Select(entry => entry.Node).Where(node => node.Role == role)];
        }
        return pools.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string Trimmed(string model) => model.Trim().TrimEnd('/');
}
