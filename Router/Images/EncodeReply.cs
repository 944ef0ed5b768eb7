using NanoAspire.Router.Leases;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Images;

/// <summary>What became of one image.</summary>
internal abstract record EncodeReply
{
    /// <param name="Slot">JSON text that the prompt's engine gets, not looked into.</param>
    /// <param name="Lease">On the slot, until the prompt has been computed.</param>
    internal sealed record Held(string Slot, KvLease Lease) : EncodeReply;

    internal sealed record Refused(EngineRefusal Refusal) : EncodeReply;

    internal sealed record Failed(LegResult Result) : EncodeReply;
}
