using System.CommandLine;
using NanoAspire.Answers;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Commands;

/// <summary><c>serve DIR</c>: one engine server.</summary>
internal static class ServeCommand
{
    public static Command Create(IReadOnlyList<EngineRole> modes, int defaultPort)
    {
        var engine = new EngineCommandOptions();
        var mode = EngineCommandOptions.Named<string>("mode", string.Join(" or ", modes.Select(Spell)), Spell(modes[0]));
        var host = EngineCommandOptions.Named<string>("host", "Address to listen on", "127.0.0.1");
        var port = EngineCommandOptions.Named<int?>("port", $"Port to listen on (default: what the host configuration says, else {defaultPort})", null);
        var name = EngineCommandOptions.Named<string?>("served-model-name", "Name clients ask for (default: the folder's name)", null);
        var ctrl = EngineCommandOptions.Named<string?>("ctrl-address", "Control plane to register with, host:port", null);
        var scope = EngineCommandOptions.Named<string?>("ctrl-scope", "Scope in the control plane", null);
        var ctrlToken = EngineCommandOptions.Named<string?>("ctrl-token", "Bearer token of the control plane and of this engine's control routes", null);
        var lease = EngineCommandOptions.Named<int>("handoff-lease", "Seconds that parked KV waits for a decode engine", 60);
        var local = EngineCommandOptions.Named<bool>("allow-local-prefill", "Serve requests that bring no hand-off, too", false);
        var calls = EngineCommandOptions.Named<string>("tool-call-parser", $"How the model writes tool calls: auto, none, {string.Join(", ", ToolCallFormat.Names)}", EngineSettings.Auto);
        var reasoning = EngineCommandOptions.Named<string>("reasoning-parser", $"How the model marks its reasoning: auto, none, {string.Join(", ", ReasoningFormat.Names)}", EngineSettings.Auto);
        var mirror = EngineCommandOptions.Named<bool>("mirror-reasoning", "Send reasoning as 'reasoning' too, not only as 'reasoning_content'", false);
        var command = new Command("serve", "Serves a model over HTTP");
        engine.AddTo(command);
        foreach (Option option in (Option[])[mode, host, port, name, ctrl, scope, ctrlToken, lease, local, calls, reasoning, mirror]) command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var settings = engine.Read(parsed);
            var spelled = parsed.GetValue(mode)!;
            var role = modes.Where(candidate => Spell(candidate) == spelled).Select(candidate => (EngineRole?)candidate).FirstOrDefault()
                ?? throw new UsageException($"--mode '{spelled}' is not one of {string.Join(", ", modes.Select(Spell))}");
            if (parsed.GetValue(port) is < 0 or > 65535) throw new UsageException("--port must be between 0 and 65535");
            if (parsed.GetValue(lease) is < 1 or > 86_400) throw new UsageException("--handoff-lease must be between 1 and 86400 seconds");
            var problems = new List<string>();
            EngineCommandOptions.OneOf(problems, "--tool-call-parser", parsed.GetValue(calls)!, [EngineSettings.Auto, "none", .. ToolCallFormat.Names]);
            EngineCommandOptions.OneOf(problems, "--reasoning-parser", parsed.GetValue(reasoning)!, [EngineSettings.Auto, "none", .. ReasoningFormat.Names]);
            if (problems.Count > 0) throw new UsageException(string.Join("; ", problems));
            await EngineServer.RunAsync(new ServeOptions
            {
                Engine = settings with
                {
                    Engine = settings.Engine with { HandoffLease = TimeSpan.FromSeconds(parsed.GetValue(lease)) },
                    ToolCallParser = parsed.GetValue(calls)!,
                    ReasoningParser = parsed.GetValue(reasoning)!,
                    MirrorReasoning = parsed.GetValue(mirror),
                },
                Role = role,
                Host = parsed.GetValue(host)!,
                Port = parsed.GetValue(port),
                DefaultPort = defaultPort,
                ServedModelName = parsed.GetValue(name),
                CtrlAddress = parsed.GetValue(ctrl),
                CtrlScope = parsed.GetValue(scope),
                CtrlToken = parsed.GetValue(ctrlToken),
                AllowLocal = parsed.GetValue(local),
            }, ct);
            return 0;
        });
        return command;
    }

    private static string Spell(EngineRole role) => role.ToString().ToLowerInvariant();
}
