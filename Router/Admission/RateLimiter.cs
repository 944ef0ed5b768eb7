using NanoAspire.Protocol.OpenAI;
using NanoAspire.Router.Options;
using NanoAspire.Router.Policies;
using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Admission;

/// <summary>A token bucket for each API key. Keys are known ones, or one for everybody where none are set, so the map stays small.</summary>
internal sealed class RateLimiter(AdmissionOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly RecentMap<string, Bucket> _buckets = new(capacity: 4096, idle: TimeSpan.FromHours(1), time);

    /// <returns>Null when the request may start, else the error to answer with.</returns>
    public ErrorReply? TryStart(string key)
    {
        if (options.RequestsPerSecond == 0) return null;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var bucket = _buckets.TryGet(key, out var known) ? known : new Bucket(options.Burst, now);
            var filled = Math.Min(options.Burst, bucket.Tokens + time.GetElapsedTime(bucket.At, now).TotalSeconds * options.RequestsPerSecond);
            var allowed = filled >= 1;
            _buckets.Set(key, new Bucket(allowed ? filled - 1 : filled, now));
            if (allowed) return null;
            var wait = TimeSpan.FromSeconds((1 - filled) / options.RequestsPerSecond);
            return new ErrorReply(429, OpenAIError.Create("This API key sends requests too fast.", "rate_limit_error", code: "rate_limited"), wait);
        }
    }

    private readonly record struct Bucket(double Tokens, long At);
}
