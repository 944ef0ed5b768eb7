using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Stages;

/// <summary>How far a way of serving a request got.</summary>
/// <param name="Done">The client has its answer, or the error that ends it.</param>
/// <param name="Last">The last engine's failure when it has not; null when there was no engine to ask.</param>
internal sealed record FlowResult(bool Done, LegResult? Last = null)
{
    public static readonly FlowResult Answered = new(Done: true);
    public static readonly FlowResult NoEngine = new(Done: false);
}
