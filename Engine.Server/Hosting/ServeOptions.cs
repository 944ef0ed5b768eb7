using NanoAspire.Engine.Server.Commands;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>Everything one engine server was started with, validated.</summary>
internal sealed record ServeOptions
{
    public required EngineSettings Engine { get; init; }
    public required EngineRole Role { get; init; }
    public string Host { get; init; } = "127.0.0.1";
    /// <summary>Null: the host configuration's addresses, else <see cref="DefaultPort"/>. 0: any free port.</summary>
    public int? Port { get; init; }
    public required int DefaultPort { get; init; }
    public string? ServedModelName { get; init; }
    public string? CtrlAddress { get; init; }
    public string? CtrlScope { get; init; }
    public string? CtrlToken { get; init; }
    public bool AllowLocal { get; init; }
}
