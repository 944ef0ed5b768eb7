namespace NanoAspire.Engine.Sampling;

/// <summary>
/// A random number that is a function of key and position alone (SplitMix64, addressed instead of iterated), so that batching,
/// chunking, preemption and hand-off to another engine do not change a draw.
/// </summary>
internal static class CounterRandom
{
    private const ulong Step = 0x9E3779B97F4A7C15;         // 2^64 / golden ratio, the generator's increment

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public static double Uniform(ulong key, int position) => (Mix(Mix(key + Step) + Step * ((ulong)position + 1)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
