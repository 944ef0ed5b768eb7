using System.Buffers;
using System.Collections.Frozen;

namespace NanoAspire.Ctrl.Store;

/// <summary>
/// What a scope, type or id may look like. Key names are joined with ':' and cannot be escaped (clients read them), so the
/// rules here are what keeps one tenant's keys apart from another's.
/// </summary>
internal static class Names
{
    public const string Engine = "engine";
    public const string Service = "service";
    public const string Agent = "agent";

    public const int MaxScope = 128;
    public const int MaxType = 64;
    public const int MaxId = 512;

    /// <summary>First segments of keys that are not registry records.</summary>
    private static readonly FrozenSet<string> KeyFamilies = FrozenSet.Create(
        Agent, "agent_name_counter", "stream", "spec", "mr", "exchange", "inbox", "obs",
        "nano_meta", "nano_events", "nano_index", "nano_leases", "nano_orphans");

    private static readonly SearchValues<char> Glob = SearchValues.Create("*?[]\\^");
    private static readonly SearchValues<char> IdGlob = SearchValues.Create("*?\\");

    /// <summary>Null when <paramref name="scope"/> is usable, else why not. The empty scope is the unscoped tenant.</summary>
    public static string? RefuseScope(string scope)
    {
        if (scope.Length == 0) return null;
        if (Refuse(scope, MaxScope, Glob, allowSpace: false) is { } reason) return reason;
        foreach (var segment in scope.Split(':'))
        {
            if (segment.Length == 0) return "has an empty segment";
            if (KeyFamilies.Contains(segment) || segment is Engine or Service) return $"uses the reserved word '{segment}'";
        }
        return null;
    }

    /// <summary>Null when <paramref name="type"/> may name a registry of entities, else why not.</summary>
    public static string? RefuseType(string type)
    {
        if (Refuse(type, MaxType, Glob, allowSpace: false) is { } reason) return reason;
        if (type.Contains(':')) return "contains ':'";
        return KeyFamilies.Contains(type) ? $"is the reserved word '{type}'" : null;
    }

    /// <summary>Null when <paramref name="id"/> may name an entity of <paramref name="type"/>, else why not.</summary>
    public static string? RefuseId(string type, string id)
    {
        if (Refuse(id, MaxId, IdGlob, allowSpace: true) is { } reason) return reason;
        if (type is Engine or Service or Agent) return null;
        // "{type}:{id}" of a free type is also "{scope}:{family}:…" of the scope that bears the type's name.
        var head = id.AsSpan(0, id.IndexOf(':') is >= 0 and var colon ? colon : id.Length);
        return KeyFamilies.GetAlternateLookup<ReadOnlySpan<char>>().Contains(head) ? $"begins with the reserved word '{head}'" : null;
    }

    /// <summary>Null when <paramref name="name"/> may name an agent or one of its memory regions, else why not.</summary>
    public static string? RefuseAgent(string name) => Refuse(name, MaxId, Glob, allowSpace: true);

    private static string? Refuse(string text, int limit, SearchValues<char> forbidden, bool allowSpace)
    {
        if (text.Length == 0) return "is empty";
        if (text.Length > limit) return $"is longer than {limit} characters";
        if (text.AsSpan().IndexOfAny(forbidden) is >= 0 and var at) return $"contains '{text[at]}'";
        foreach (var c in text)
            if (char.IsControl(c) || (!allowSpace && char.IsWhiteSpace(c))) return "contains a control or space character";
        return null;
    }
}
