namespace NanoAspire.Tests;

/// <summary>Counts of all outcomes against their exact probabilities.</summary>
internal static class ChiSquare
{
    /// <summary>Of the normal distribution: passed but once in 10⁶.</summary>
    private const double Quantile = 4.753;

    /// <summary>A true sampler fails once in 10⁶ times; with fixed seeds always or never. The bound is that of Wilson and Hilferty.</summary>
    /// <param name="counts">By outcome.</param>
    /// <param name="probability">Of an outcome; they add up to 1.</param>
    public static void AssertFits(int[] counts, Func<int, double> probability)
    {
        var (draws, degrees) = (counts.Sum(), counts.Length - 1);
        double chi = 0;
        for (var outcome = 0; outcome < counts.Length; outcome++)
        {
            var expected = draws * probability(outcome);
            chi += (counts[outcome] - expected) * (counts[outcome] - expected) / expected;
        }
        var bound = degrees * Math.Pow(1 - 2.0 / (9 * degrees) + Quantile * Math.Sqrt(2.0 / (9 * degrees)), 3);
        Assert.True(chi < bound, $"χ² is {chi:0.0}, at most {bound:0.0} with {degrees} degrees of freedom");
    }
}
