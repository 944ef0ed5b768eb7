namespace NanoAspire.ServiceDefaults.Resilience;

/// <summary>What the inference policy may assume about a request.</summary>
public static class InferenceRequest
{
    /// <summary>Set in <see cref="HttpRequestMessage.Options"/>: doing the work twice harms nobody, so a broken connection may be retried.</summary>
    public static HttpRequestOptionsKey<bool> IsIdempotent { get; } = new("nanoaspire.inference.idempotent");
}
