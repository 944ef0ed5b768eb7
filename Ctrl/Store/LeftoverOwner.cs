namespace NanoAspire.Ctrl.Store;

/// <summary>
/// Tells whose key it is when names hold ':' themselves: <c>mr:E:0:kv</c> is region <c>0:kv</c> of <c>E</c> unless there is an agent
/// <c>E:0</c>. The longest known agent name wins.
/// </summary>
internal sealed class LeftoverOwner(IReadOnlySet<string> agents)
{
    /// <param name="agent">The agent that is cleaned up.</param>
    /// <param name="rest">Key without scope and <c>mr:</c>.</param>
    public bool OwnsRegion(string agent, string rest) => LongestHead(rest) == agent;

    /// <param name="agent">The agent that is cleaned up.</param>
    /// <param name="rest">Key without scope and <c>exchange:</c>: <c>{from}:{to}</c> or <c>{from}:{to}:{conn_id}</c>, where a conn_id begins with <c>{from}:</c>.</param>
    public bool OwnsExchange(string agent, string rest)
    {
        if (LongestHead(rest) == agent) return true;
        if (rest.EndsWith(":" + agent, StringComparison.Ordinal) && LongestTail(rest) == agent) return true;
        for (var at = rest.IndexOf($":{agent}:", StringComparison.Ordinal); at > 0; at = rest.IndexOf($":{agent}:", at + 1, StringComparison.Ordinal))
        {
            if (rest.AsSpan(at + agent.Length + 2).StartsWith(rest.AsSpan(0, at + 1), StringComparison.Ordinal)) return true;
        }
        return false;
    }

    private string? LongestHead(string rest)
    {
        for (var colon = rest.LastIndexOf(':'); colon > 0; colon = rest.LastIndexOf(':', colon - 1))
            if (agents.Contains(rest[..colon])) return rest[..colon];
        return null;
    }

    private string? LongestTail(string rest)
    {
        for (var colon = rest.IndexOf(':'); colon >= 0 && colon < rest.Length - 1; colon = rest.IndexOf(':', colon + 1))
            if (agents.Contains(rest[(colon + 1)..])) return rest[(colon + 1)..];
        return null;
    }
}
