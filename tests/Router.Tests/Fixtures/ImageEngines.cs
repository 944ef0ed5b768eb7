using NanoAspire.Protocol.Wire;

namespace NanoAspire.Router.Tests.Fixtures;

/// <summary>An encoder, a prefill engine that takes its slots, and a decode engine.</summary>
public abstract class ImageEngines : IAsyncLifetime
{
    private protected ScriptedEngine _encoder = null!;
    private protected ScriptedEngine _prefill = null!;
    private protected ScriptedEngine _decode = null!;

    public async ValueTask InitializeAsync()
    {
        _encoder = await ScriptedEngine.StartAsync(EngineRole.Encoder);
        _prefill = await ScriptedEngine.StartAsync(EngineRole.Prefill, capabilities: ["vision_slots"]);
        _decode = await ScriptedEngine.StartAsync(EngineRole.Decode);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _encoder.DisposeAsync();
        await _prefill.DisposeAsync();
        await _decode.DisposeAsync();
    }
}
