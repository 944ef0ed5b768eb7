namespace NanoAspire.Native.Rdma.Peers;

/// <summary>Smoothed rate of counters: e ← α · 8 · Δbytes / Δt + (1 − α) · e, from 0.</summary>
internal sealed class Bandwidth(TimeProvider time)
{
    public const double Alpha = 0.3;

    private readonly Dictionary<string, (long Bytes, long At, double Rate)> _samples = new(StringComparer.Ordinal);

    /// <summary>Takes a sample of a counter; its first one only starts it.</summary>
    /// <returns>Bit/s.</returns>
    public double Sample(string counter, long bytes)
    {
        var now = time.GetTimestamp();
        if (!_samples.TryGetValue(counter, out var last))
        {
            _samples[counter] = (bytes, now, 0);
            return 0;
        }
        var seconds = time.GetElapsedTime(last.At, now).TotalSeconds;
        if (seconds <= 0) return last.Rate;
        // A card that was reset starts again from 0.
        var rate = (Alpha * 8 * Math.Max(0, bytes - last.Bytes) / seconds) + ((1 - Alpha) * last.Rate);
        _samples[counter] = (bytes, now, rate);
        return rate;
    }
}
