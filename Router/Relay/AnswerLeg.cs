using NanoAspire.Router.Continuation;
using NanoAspire.Router.Parsing;
using NanoAspire.Router.Requests;

namespace NanoAspire.Router.Relay;

/// <summary>One attempt to get a request answered by one engine: what to send, how long to wait, whom to tell.</summary>
internal sealed record AnswerLeg
{
    public required InferenceRequest Request { get; init; }
    public required RequestReport Report { get; init; }
    public required ReadOnlyMemory<byte> Body { get; init; }
    /// <summary>From sending to the answer's first byte.</summary>
    public required TimeSpan FirstByte { get; init; }
    /// <summary>The body carries a hand-off, so a refusal may be about that.</summary>
    public bool Handoff { get; init; }
    /// <summary>The body names an encoder's slots, so a refusal may be about those.</summary>
    public bool Slots { get; init; }
    /// <summary>Set when another engine could go on with the stream should this one break off.</summary>
    public StreamProgress? Progress { get; init; }
    /// <summary>Set when the engine's answer is still to be told apart.</summary>
    public AnswerRewriter? Rewriter { get; init; }
    /// <summary>Called once, when the first byte of the answer is there and before it goes on to the client.</summary>
    public Action? Answered { get; init; }
}
