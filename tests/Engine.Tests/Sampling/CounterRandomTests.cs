using NanoAspire.Engine.Sampling;

namespace NanoAspire.Engine.Tests.Sampling;

public sealed class CounterRandomTests
{
    [Fact]
    public void A_draw_depends_on_key_and_position_only()
    {
        var forwards = Enumerable.Range(0, 100).Select(p => CounterRandom.Uniform(42, p)).ToArray();
        var backwards = Enumerable.Range(0, 100).Reverse().Select(p => CounterRandom.Uniform(42, p)).Reverse().ToArray();
        Assert.Equal(forwards, backwards);
        Assert.Equal(100, forwards.Distinct().Count());
    }

    [Fact]
    public void The_values_are_frozen_because_engines_of_different_builds_share_a_sequence()
    {
        double[] drawn = [CounterRandom.Uniform(0, 0), CounterRandom.Uniform(0, 1), CounterRandom.Uniform(1, 0), CounterRandom.Uniform(ulong.MaxValue, int.MaxValue)];
        Assert.Equal(Frozen, drawn);
    }

    private static readonly double[] Frozen = [0.6524484863740322, 0.7012121095215252, 0.36818951565166946, 0.4984167065294687];

    [Theory, InlineData(0UL), InlineData(1UL), InlineData(0xFFFFFFFFFFFFFFFFUL)]
    public void Positions_of_one_key_are_uniform(ulong key) => AssertUniform(i => CounterRandom.Uniform(key, i));

    [Fact]
    public void Neighbouring_keys_at_one_position_are_uniform() => AssertUniform(i => CounterRandom.Uniform((ulong)i, 17));

    [Fact]
    public void Neighbouring_keys_and_positions_do_not_line_up() =>
        AssertUniform(i => (CounterRandom.Uniform((ulong)i, 5) - CounterRandom.Uniform((ulong)i + 1, 4) + 1) % 1);

    private static void AssertUniform(Func<int, double> draw)
    {
        const int Draws = 50_000, Bins = 64;
        var counts = new int[Bins];
        for (var i = 0; i < Draws; i++)
        {
            var u = draw(i);
            Assert.InRange(u, 0, Math.BitDecrement(1.0));
            counts[(int)(u * Bins)]++;
        }
        var expected = (double)Draws / Bins;
        Assert.InRange(counts.Sum(c => (c - expected) * (c - expected) / expected), 20, Bins - 1 + 4 * Math.Sqrt(2 * (Bins - 1)));
    }
}
