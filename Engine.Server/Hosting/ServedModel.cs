using NanoAspire.Answers;
using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Engine.Text;
using NanoAspire.Engine.Transfer;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Hosting;

/// <summary>A loaded model with everything that answers requests for it. Disposal stops the loop, then frees the memory it used.</summary>
internal sealed class ServedModel : IAsyncDisposable
{
    /// <summary>Served name first; then the folder's path and its last segment.</summary>
    public required IReadOnlyList<string> Names { get; init; }
    public required EngineRole Role { get; init; }
    public required string EngineId { get; init; }
    public required string Incarnation { get; init; }
    public required IModelRunner Runner { get; init; }
    public required EngineLoop Loop { get; init; }
    public required SamplingDefaults Defaults { get; init; }
    public required int MaxModelLength { get; init; }
    public required IKvTransport Transport { get; init; }
    public required HandoffTable Handoffs { get; init; }
    public required KvPuller Puller { get; init; }
    public required DateTimeOffset Created { get; init; }
    /// <summary>A decode engine computes prompts itself when a request brings no hand-off; likewise a prefill engine finishes them.</summary>
    public bool AllowLocal { get; init; }
    /// <summary>Null: the folder has no tokenizer, and only id prompts are served.</summary>
    public Tokenizer? Tokenizer { get; init; }
    public ChatTemplate? Template { get; init; }
    /// <summary>How the model writes tool calls; null: answers are not searched for any.</summary>
    public ToolCallFormat? ToolCalls { get; init; }
    /// <summary>How the model marks reasoning; null: it is part of the content.</summary>
    public ReasoningFormat? Reasoning { get; init; }
    /// <summary>Reasoning is sent under both its names.</summary>
    public bool MirrorReasoning { get; init; }

    /// <summary>What routers may rely on beyond OpenAI's contract.</summary>
    public static IReadOnlyList<string> Capabilities { get; } = ["kv_pulled_at_first_token", "resume", "parses_answers"];

    public string Name => Names[0];

    public bool Serves(string model) => Names.Contains(model.Length > 1 ? model.TrimEnd('/') : model, StringComparer.Ordinal);

    public async ValueTask DisposeAsync()
    {
        await Handoffs.DisposeAsync();
        await Loop.DisposeAsync();
        await Transport.DisposeAsync();
        Runner.Dispose();
    }
}
