namespace NanoAspire.Protocol.Wire;

/// <summary>The <c>kv_transfer_params</c> object of requests to and replies from engines.</summary>
public sealed record KvTransferParams
{
    /// <summary>Router to prefill: stop after the first token and park the blocks.</summary>
    public bool? DoRemoteDecode { get; init; }
    /// <summary>Prefill to router to decode, opaque to the router.</summary>
    public string? Migration { get; init; }
    /// <summary>The parked sequence; the first one when the request had several prompts.</summary>
    public long? SeqId { get; init; }
    /// <summary>All parked sequences of the request.</summary>
    public long[]? SeqIds { get; init; }
}
