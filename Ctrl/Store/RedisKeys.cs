using System.Text;

namespace NanoAspire.Ctrl.Store;

/// <summary>Every Redis name of one scope. The first group is the wire contract; the <c>nano_index</c> keys are ours, so that nothing has to scan.</summary>
internal readonly record struct RedisKeys(string Scope)
{
    /// <summary>Sorted set over all scopes: member (<see cref="Member"/>) by the unix millisecond at which its lease ends.</summary>
    public const string Leases = "nano_leases";
    /// <summary>As <see cref="Leases"/>, for agents that renew: when one has been gone for long, what it left is removed.</summary>
    public const string Orphans = "nano_orphans";

    public string Prefix => Scope.Length == 0 ? "" : Scope + ":";

    public string Record(string type, string id) => $"{Prefix}{type}:{id}";
    public string Revision(string type) => $"{Prefix}nano_meta:{type}_revision";
    public string Channel(string type) => $"{Prefix}nano_events:{type}_update";
    public string NameCounter => Prefix + "agent_name_counter";
    public string Agent(string name) => $"{Prefix}agent:{name}";
    public string Spec(string agent) => $"{Prefix}spec:topology:{agent}";
    public string Stream(string agent) => $"{Prefix}stream:{agent}";
    public string Inbox(string agent) => $"{Prefix}inbox:{agent}";
    public string Region(string agent, string region) => $"{Prefix}mr:{agent}:{region}";
    public string Report(string agent) => ReportPrefix + agent;
    public string ReportPrefix => Prefix + "obs:peer:";
    public string ExchangePrefix => Prefix + "exchange:";
    public string RegionPrefix(string agent) => $"{Prefix}mr:{agent}:";
    public string SpecPrefix => Prefix + "spec:topology:";

    /// <summary>Set of ids of one type.</summary>
    public string Index(string type) => $"{Prefix}nano_index:{type}";
    /// <summary>Set of types with an index.</summary>
    public string Types => Prefix + "nano_index::types";
    /// <summary>Agents that were asked to connect to this one or the other way round.</summary>
    public string Links(string agent) => $"{Prefix}nano_index::links:{agent}";

    /// <summary>Names a record over all scopes; names hold no control characters, so the separator is unambiguous.</summary>
    public string Member(string type, string id) => $"{Scope}\n{type}\n{id}";

    public static (RedisKeys Keys, string Type, string Id) ParseMember(string member)
    {
        var parts = member.Split('\n', 3);
        return (new RedisKeys(parts[0]), parts[1], parts[2]);
    }

    /// <summary><paramref name="literal"/> as a MATCH pattern that matches only itself.</summary>
    public static string EscapeGlob(string literal)
    {
        var pattern = new StringBuilder(literal.Length);
        foreach (var c in literal)
        {
            if (c is '*' or '?' or '[' or ']' or '\\' or '^') pattern.Append('\\');
            pattern.Append(c);
        }
        return pattern.ToString();
    }
}
