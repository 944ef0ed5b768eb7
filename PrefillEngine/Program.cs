using NanoAspire.Engine.Server.Commands;
using NanoAspire.Protocol.Wire;

return await EngineProgram.RunAsync(
    args,
    "Computes prompts, samples the first token and parks the KV cache for a decode engine",
    modes: [EngineRole.Prefill],
    defaultPort: 8200);
