using NanoAspire.Engine.Sampling;
using NanoAspire.Engine.Speculation;

namespace NanoAspire.Engine.Tests.Fakes;

/// <summary>Samples ahead from the fake model as the engine will, but spoils a guess now and then; it knows nothing of grammars.</summary>
internal sealed class OracleDrafter(FakeRunner runner, Random random, int most, int wrongOneIn = 5) : IDrafter
{
    private readonly Sampler _sampler = new(runner.Model.VocabSize);

    public void Draft(IReadOnlyList<DraftInput> step)
    {
        foreach (var (sequence, _, start, count) in step)
        {
            Assert.InRange(start + count, 1, sequence.TokenCount - 1);       // the token after the last row is known
            Assert.Empty(sequence.Drafts);
            if (!sequence.MayDraft) continue;
            var tokens = sequence.Tokens.ToArray().ToList();
            for (var left = random.Next(most + 1); left > 0; left--)
            {
                var token = _sampler.Sample(runner.LogitsAfter(tokens), new()
                {
                    Params = sequence.Request.Sampling, Tokens = tokens.ToArray(), PromptLength = sequence.OutputStart, StopIds = sequence.StopIds, Key = sequence.RandomKey,
                })!.Id;
                if (random.Next(wrongOneIn) == 0) token = random.Next(runner.Model.VocabSize);
                tokens.Add(token);
                sequence.Drafts.Add(token);
            }
        }
    }
}
