using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NanoAspire.Ctrl.Security;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Command line over environment over default, made into options and URLs.</summary>
/// <param name="Options">What the service needs.</param>
/// <param name="Urls">Addresses to bind; null leaves the choice to <c>ASPNETCORE_URLS</c> and its kin.</param>
internal sealed record ServerSettings(CtrlOptions Options, string[]? Urls)
{
    /// <exception cref="UsageException">A value cannot be used.</exception>
    public static ServerSettings From(ParseResult parsed, ServerFlags flags, IConfiguration configuration)
    {
        var redis = Chosen(parsed.GetValue(flags.RedisUrl), configuration.GetConnectionString("redis"), configuration["DLSLIME_CTRL_REDIS_URL"], configuration["NANOCTRL_REDIS_URL"]);
        RedisAddress? address = null;
        try { address = redis is null ? null : RedisAddress.Parse(redis); }
        catch (FormatException e) { throw new UsageException($"--redis-url: {e.Message}"); }
        var options = new CtrlOptions
        {
            Redis = address,
            RedisAdvertise = Chosen(parsed.GetValue(flags.RedisAdvertise), configuration["DLSLIME_CTRL_REDIS_ADVERTISE"]),
            RedisPublicAddress = configuration["REDIS_PUBLIC_ADDRESS"],
            Tokens = new AccessTokens(
                Chosen(parsed.GetValue(flags.Token), configuration["NANOCTRL_TOKEN"], configuration["NANOASPIRE_CTRL_TOKEN"]),
                ScopeTokens(parsed.GetValue(flags.ScopeTokens) is { Length: > 0 } pairs ? pairs : configuration["NANOCTRL_SCOPE_TOKENS"]?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [])),
        };
        return new ServerSettings(options, ChooseUrls(parsed.GetValue(flags.Host), parsed.GetValue(flags.Port), configuration));
    }

    private static string? Chosen(params string?[] candidates) => candidates.FirstOrDefault(c => !string.IsNullOrWhiteSpace(c));

    private static Dictionary<string, string> ScopeTokens(string[] pairs)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var at = pair.IndexOf('=');
            if (at <= 0 || at == pair.Length - 1) throw new UsageException("--scope-token: expected SCOPE=TOKEN");
            if (Names.RefuseScope(pair[..at]) is { } reason) throw new UsageException($"--scope-token: the scope {reason}");
            tokens[pair[..at]] = pair[(at + 1)..];
        }
        return tokens;
    }

    private static string[]? ChooseUrls(string? host, int? port, IConfiguration configuration)
    {
        if (port is < 0 or > ushort.MaxValue) throw new UsageException($"--port: {port} is not a port number");
        if (port is null && configuration["PORT"] is { Length: > 0 } given)
        {
            if (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var fromEnvironment) || fromEnvironment > ushort.MaxValue) throw new UsageException($"PORT: '{given}' is not a port number");
            port = fromEnvironment;
        }
        var bound = new[] { "URLS", "HTTP_PORTS", "HTTPS_PORTS" }.Any(name => !string.IsNullOrEmpty(configuration[name]));
        if (host is null && port is null && bound) return null;
        return [.. Resolve(host ?? IPAddress.Loopback.ToString()).Select(ip => $"http://{(ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : ip)}:{port ?? CtrlOptions.DefaultPort}")];
    }

    /// <summary>Names are resolved here: the server would bind an unknown name to every address.</summary>
    private static IPAddress[] Resolve(string host)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal)) return [literal];
        try
        {
            var addresses = Dns.GetHostAddresses(host);
            return addresses.Where(a => a.AddressFamily == AddressFamily.InterNetwork).ToArray() is { Length: > 0 } v4 ? v4 : addresses;
        }
        catch (SocketException) { throw new UsageException($"--host: '{host}' does not resolve"); }
        catch (ArgumentException) { throw new UsageException($"--host: '{host}' is not a host name"); }
    }
}

/// <summary>The command line or the environment cannot be used as it is; the message is one line for the user.</summary>
internal sealed class UsageException(string message) : Exception(message);
