using NanoAspire.Engine.Sampling;

namespace NanoAspire.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    private const float Low = float.NegativeInfinity;

    [Fact]
    public void Greedy_takes_the_lowest_id_among_the_largest()
    {
        float[] row = [1, 3, 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        Assert.Equal(1, Sample(row, new() { Temperature = 0 }));
        row[1] = 0;
        Assert.Equal(3, Sample(row, new() { Temperature = 0 }));
    }

    [Theory, InlineData(1), InlineData(7), InlineData(8), InlineData(9), InlineData(16), InlineData(31), InlineData(1000)]   // around vectors
    public void Greedy_finds_the_largest_wherever_it_is(int vocab)
    {
        for (var best = 0; best < vocab; best += Math.Max(1, vocab / 37))
        {
            var row = Enumerable.Range(0, vocab).Select(i => -1f - i % 5).ToArray();
            row[best] = 0.5f;
            Assert.Equal(best, Sample(row, new() { Temperature = 0 }));
        }
    }

    [Theory, InlineData(0), InlineData(5), InlineData(16), InlineData(18)]
    public void A_row_that_is_not_numbers_gives_no_token(int where)
    {
        foreach (var poison in new[] { float.NaN, float.PositiveInfinity })
        {
            var row = new float[19];
            row[where] = poison;
            Assert.Null(TrySample(row, new() { Temperature = 0 }));
            Assert.Null(TrySample(row, new() { Temperature = 1 }));
        }
    }

    [Fact]
    public void A_row_that_rules_everything_out_gives_no_token()
    {
        Assert.Null(TrySample([Low, Low, Low], new()));
        Assert.Null(TrySample([Low, Low, 1], new() { MinTokens = 1, Temperature = 0 }, stopIds: [2]));
    }

    [Fact]
    public void A_forbidden_token_is_never_drawn()
    {
        for (ulong key = 0; key < 500; key++) Assert.Equal(1, Sample([Low, 0, Low], new(), key: key));
    }

    [Fact]
    public void Huge_logits_do_not_overflow()
    {
        for (ulong key = 0; key < 100; key++) Assert.InRange(Sample([3e38f, 3e38f, -3e38f], new() { Temperature = 0.01f }, key: key), 0, 1);
    }

    [Fact]
    public void Top_k_of_one_is_greedy_also_at_ties()
    {
        for (ulong key = 0; key < 50; key++) Assert.Equal(2, Sample([0, 1, 5, 5, 5], new() { TopK = 1, Temperature = 2 }, key: key));
    }

    [Fact]
    public void Top_p_keeps_the_token_that_crosses_it_and_at_least_one()
    {
        float[] row = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        Assert.Equal([0], Seen(row, new() { TopP = 0.0001f }));
        Assert.Equal([0], Seen(row, new() { TopP = 0.45f }));
        Assert.Equal([0, 1], Seen(row, new() { TopP = 0.7f }));
        Assert.Equal([0, 1, 2], Seen(row, new() { TopP = 0.99f }));
    }

    [Fact]
    public void Top_p_is_taken_of_what_top_k_left()
    {
        float[] row = [MathF.Log(0.4f), MathF.Log(0.3f), MathF.Log(0.2f), MathF.Log(0.1f)];
        Assert.Equal([0], Seen(row, new() { TopK = 2, TopP = 0.5f }));          // 0.4 / 0.7 is enough; of everything it would not be
        Assert.Equal([0, 1], Seen(row, new() { TopP = 0.5f }));
    }

    [Fact]
    public void Min_p_is_relative_to_the_most_likely()
    {
        float[] row = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        Assert.Equal([0, 1], Seen(row, new() { MinP = 0.5f }));
        Assert.Equal([0], Seen(row, new() { MinP = 1 }));
    }

    [Fact]
    public void Penalties_work_on_what_has_been_said()
    {
        float[] row = [2, 1.5f, -1, -1.2f];
        var greedy = new SamplingParams { Temperature = 0 };
        Assert.Equal(1, Sample(row, greedy with { RepetitionPenalty = 2 }, [0], promptLength: 1));       // the prompt counts
        Assert.Equal(0, Sample(row, greedy with { PresencePenalty = 2 }, [0], promptLength: 1));         // here it does not
        Assert.Equal(1, Sample(row, greedy with { PresencePenalty = 1 }, [0], promptLength: 0));
        Assert.Equal(0, Sample(row, greedy with { FrequencyPenalty = 0.2f }, [0, 0], promptLength: 0));
        Assert.Equal(1, Sample(row, greedy with { FrequencyPenalty = 0.2f }, [0, 0, 0], promptLength: 0));
        Assert.Equal(3, Sample([-1, -1, -1, -1.2f], greedy with { RepetitionPenalty = 2 }, [0, 1, 2, 0], promptLength: 2));   // negative ones grow, once
    }

    [Fact]
    public void Bias_can_force_and_forbid()
    {
        var greedy = new SamplingParams { Temperature = 0 };
        Assert.Equal(2, Sample([5, 4, -3], greedy with { LogitBias = new Dictionary<int, float> { [2] = 100 } }));
        Assert.Equal(1, Sample([5, 4, -3], greedy with { LogitBias = new Dictionary<int, float> { [0] = -100 } }));
    }

    [Fact]
    public void Stop_tokens_wait_for_min_tokens()
    {
        var p = new SamplingParams { Temperature = 0, MinTokens = 2 };
        Assert.Equal(1, Sample([9, 1, 0], p, [1, 1], promptLength: 1, stopIds: [0, 77]));
        Assert.Equal(0, Sample([9, 1, 0], p, [1, 1, 1], promptLength: 1, stopIds: [0, 77]));
    }

    [Fact]
    public void Logprobs_are_those_of_the_model_whatever_is_done_to_the_row()
    {
        float[] row = [MathF.Log(0.5f) + 3, MathF.Log(0.3f) + 3, MathF.Log(0.2f) + 3];
        var token = TrySample(row, new() { Temperature = 0, LogitBias = new Dictionary<int, float> { [2] = 100 }, Logprobs = 2 })!;
        Assert.Equal(2, token.Id);
        Assert.Equal(Math.Log(0.2), token.Logprob!.Value, tolerance: 1e-6);
        Assert.Equal([0, 1], token.TopLogprobs!.Select(t => t.Id));
        Assert.Equal(Math.Log(0.3), token.TopLogprobs![1].Logprob, tolerance: 1e-6);
    }

    [Fact]
    public void Logprobs_without_alternatives_and_more_than_there_are()
    {
        Assert.Null(TrySample([1, 2], new() { Temperature = 0 })!.Logprob);
        var own = TrySample([1, 2], new() { Temperature = 0, Logprobs = 0 })!;
        Assert.NotNull(own.Logprob);
        Assert.Null(own.TopLogprobs);
        Assert.Equal([1, 2, 0], TrySample([1, 2, 2], new() { Temperature = 0, Logprobs = 20 })!.TopLogprobs!.Select(t => t.Id));
    }

    [Fact]
    public void The_scratch_memory_carries_nothing_over()
    {
        var sampler = new Sampler(4);
        float[] row = [3, 2, 1, 0];
        var penal = new SamplingParams { Temperature = 0, RepetitionPenalty = 5, FrequencyPenalty = 2, PresencePenalty = 2, LogitBias = new Dictionary<int, float> { [1] = -50 } };
        int[] said = [0, 0, 2];
        Assert.NotEqual(0, sampler.Sample(row, Context(penal, said, 0, []))!.Id);
        Assert.Equal(0, sampler.Sample(row, Context(new() { Temperature = 0, RepetitionPenalty = 1.01f, FrequencyPenalty = 0.1f }, [3], 0, []))!.Id);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Agrees_with_the_reference(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 400; round++)
        {
            var vocab = random.Next(1, 300);
            var coarse = random.Next(2) == 0;              // many ties
            var row = Enumerable.Range(0, vocab).Select(_ => coarse ? random.Next(-4, 5) : (float)(random.NextDouble() * 12 - 6)).ToArray();
            if (random.Next(4) == 0) row[random.Next(1, vocab + 1) - 1] = Low;
            if (row.All(float.IsNegativeInfinity)) continue;
            var tokens = Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(vocab)).ToArray();
            var promptLength = random.Next(1, tokens.Length + 1);
            var p = new SamplingParams
            {
                Temperature = random.Next(6) == 0 ? 0 : (float)(0.2 + random.NextDouble() * 1.8),
                TopK = random.Next(2) == 0 ? 0 : random.Next(1, vocab + 10),
                TopP = random.Next(2) == 0 ? 1 : (float)(0.05 + 0.95 * random.NextDouble()),
                MinP = random.Next(2) == 0 ? 0 : (float)(0.3 * random.NextDouble()),
                RepetitionPenalty = random.Next(2) == 0 ? 1 : (float)(0.5 + random.NextDouble()),
                PresencePenalty = random.Next(2) == 0 ? 0 : (float)(random.NextDouble() * 4 - 2),
                FrequencyPenalty = random.Next(2) == 0 ? 0 : (float)(random.NextDouble() * 4 - 2),
                MinTokens = vocab > 2 && row.Count(float.IsFinite) > 2 ? random.Next(6) : 0,
                LogitBias = random.Next(3) == 0 ? new Dictionary<int, float> { [random.Next(vocab)] = random.Next(-10, 10) } : new Dictionary<int, float>(),
            };
            int[] stopIds = vocab > 1 ? [0, vocab - 1] : [0];
            var key = (ulong)random.NextInt64();
            Assert.Equal(ReferenceSampler.Sample(row, p, tokens, promptLength, stopIds, key), Sample(row, p, tokens, promptLength, stopIds, key));
        }
    }

    [Theory]
    [InlineData(1, 0, 1, 0)]
    [InlineData(0.7f, 5, 1, 0)]
    [InlineData(1.5f, 0, 0.8f, 0)]
    [InlineData(1, 12, 0.9f, 0.05f)]
    public void Draws_follow_the_distribution(float temperature, int topK, float topP, float minP)
    {
        const int Draws = 20_000;
        var random = new Random(99);
        var row = Enumerable.Range(0, 20).Select(_ => (float)(random.NextDouble() * 4)).ToArray();
        var p = new SamplingParams { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        var sampler = new Sampler(row.Length);
        var counts = new int[row.Length];
        for (var position = 1; position <= Draws; position++) counts[sampler.Sample(row, Context(p, new int[position % 1000], 0, [], key: (ulong)position))!.Id]++;

        var expected = ReferenceSampler.Distribution(row, p, [], 0, []);
        Assert.All(expected.Zip(counts), pair => Assert.True(pair.First > 0 || pair.Second == 0));
        var chiSquare = expected.Zip(counts).Where(pair => pair.First > 0).Sum(pair => Math.Pow(pair.Second - Draws * pair.First, 2) / (Draws * pair.First));
        var freedom = expected.Count(q => q > 0) - 1;
        Assert.InRange(chiSquare, 0, freedom + 4 * Math.Sqrt(2 * freedom));   // four standard deviations; the seeds are fixed, so this never flickers
    }

    private static int[] Seen(float[] row, SamplingParams p) => [.. Enumerable.Range(0, 400).Select(key => Sample(row, p, key: (ulong)key)).Distinct().Order()];

    private static int Sample(float[] row, SamplingParams p, int[]? tokens = null, int promptLength = 0, int[]? stopIds = null, ulong key = 7)
    {
        var token = new Sampler(row.Length).Sample(row, Context(p, tokens ?? [], promptLength, stopIds ?? [], key));
        Assert.NotNull(token);
        return token.Id;
    }

    private static SampledToken? TrySample(float[] row, SamplingParams p, int[]? stopIds = null) => new Sampler(row.Length).Sample(row, Context(p, [], 0, stopIds ?? []));

    private static SamplingContext Context(SamplingParams p, int[] tokens, int promptLength, int[] stopIds, ulong key = 7) =>
        new() { Params = p, Tokens = tokens, PromptLength = promptLength, StopIds = stopIds, Key = key };
}
