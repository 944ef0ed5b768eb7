using NanoAspire.Engine.Server.Commands;
using NanoAspire.Protocol.Wire;

return await EngineProgram.RunAsync(
    args,
    "Pulls the KV cache of prefilled prompts and generates (decode), or does both phases in one process (hybrid)",
    modes: [EngineRole.Decode, EngineRole.Hybrid],
    defaultPort: 8100);
