using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Ctrl.Security;

/// <summary>
/// Who may do what. A master token opens every scope; a scope token opens its scope only and closes it to everyone else, readers
/// included. Tokens are kept and compared as digests, in constant time.
/// </summary>
internal sealed class AccessTokens
{
    public static readonly AccessTokens None = new(master: null, new Dictionary<string, string>());

    private readonly byte[]? _master;
    private readonly Dictionary<string, byte[]> _scopes;

    public AccessTokens(string? master, IReadOnlyDictionary<string, string> scopes)
    {
        _master = string.IsNullOrEmpty(master) ? null : Digest(master);
        _scopes = scopes.ToDictionary(s => s.Key, s => Digest(s.Value), StringComparer.Ordinal);
    }

    public bool Any => _master is not null || _scopes.Count > 0;

    /// <summary>Looks at the header alone, before a body is read.</summary>
    /// <returns>False when tokens are required for writing and this is none of them.</returns>
    public bool IsKnown(string? authorization)
    {
        if (!Any) return true;
        if (Bearer(authorization) is not { } token) return false;
        var digest = Digest(token);
        var known = Same(_master, digest);
        foreach (var scope in _scopes.Values) known |= Same(scope, digest);
        return known;
    }

    /// <param name="authorization">The request's <c>Authorization</c> header.</param>
    /// <param name="scope">The scope it wants to act in; null for what concerns no scope.</param>
    /// <param name="write">True for routes that change something or hand out credentials.</param>
    public Access Check(string? authorization, string? scope, bool write)
    {
        var guard = scope is null ? null : _scopes.GetValueOrDefault(scope);
        if (guard is null && (!write || !Any)) return new Access(Allowed: true, "anyone");
        var token = Bearer(authorization);
        var digest = Digest(token ?? "");
        if (token is not null && Same(_master, digest)) return new Access(Allowed: true, "master");
        if (token is not null && Same(guard, digest)) return new Access(Allowed: true, "scope");
        // Unscoped writes with only scope tokens configured stay closed: nobody holds a key to them.
        return new Access(Allowed: false, token is null ? "nobody" : "unknown");
    }

    private static string? Bearer(string? authorization) =>
        authorization is not null && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : null;

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static bool Same(byte[]? expected, byte[] digest) => expected is not null && CryptographicOperations.FixedTimeEquals(expected, digest);
}

/// <param name="Allowed">Whether the call goes on.</param>
/// <param name="Caller">For the audit line: which kind of token it came with.</param>
internal readonly record struct Access(bool Allowed, string Caller);
