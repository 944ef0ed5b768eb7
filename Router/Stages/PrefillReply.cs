using System.Collections.Immutable;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Stages;

/// <summary>What a prefill engine answered.</summary>
internal abstract record PrefillReply
{
    /// <summary>Sequences parked under a lease, if any: they are to be freed whatever happens next.</summary>
    public ImmutableArray<long> Sequences { get; init; } = [];

    /// <param name="Migration">JSON text that decode gets, not looked into.</param>
    internal sealed record Parked(string Migration) : PrefillReply;

    /// <summary>The first token was the last: here is the answer.</summary>
    internal sealed record Finished(byte[] Body) : PrefillReply;

    internal sealed record Refused(EngineRefusal Refusal) : PrefillReply;

    internal sealed record Failed(LegResult Result) : PrefillReply;
}
