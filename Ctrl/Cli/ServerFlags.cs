using System.CommandLine;

namespace NanoAspire.Ctrl.Cli;

/// <summary>The options that <c>server</c> and <c>start</c> share. Every one may also come from the environment; the flag wins.</summary>
internal sealed class ServerFlags
{
    public Option<string?> Host { get; } = new("--host") { Description = "Address or name to listen on (default 127.0.0.1)" };
    public Option<int?> Port { get; } = new("--port") { Description = $"Port to listen on (default {CtrlOptions.DefaultPort})" };
    public Option<string?> RedisUrl { get; } = new("--redis-url", "--redis_url") { Description = "redis://[:password@]host[:port][/db] or host:port,password=…; without it the embedded store is used" };
    public Option<string?> RedisAdvertise { get; } = new("--redis-advertise", "--redis_advertise") { Description = "Redis URL to tell agents instead" };
    public Option<string?> Token { get; } = new("--ctrl-token", "--ctrl_token") { Description = "Bearer token for every route that changes something" };
    public Option<string[]> ScopeTokens { get; } = new("--scope-token", "--scope_token") { Description = "SCOPE=TOKEN: bearer token of one scope, for reading too" };

    public void AddTo(Command command)
    {
        command.Options.Add(Host);
        command.Options.Add(Port);
        command.Options.Add(RedisUrl);
        command.Options.Add(RedisAdvertise);
        command.Options.Add(Token);
        command.Options.Add(ScopeTokens);
    }
}
