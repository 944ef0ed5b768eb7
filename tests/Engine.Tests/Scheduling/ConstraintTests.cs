using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Tests.Fakes;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine.Tests.Scheduling;

/// <summary>Sequences under a grammar, from a model whose logits mean nothing.</summary>
public sealed class ConstraintTests
{
    private const string Characters = "{}[]\":, \n0123456789-.eEtrufalsnxyzbcdghijkmopqvwABCDEFGHIJK\\";
    private static readonly GrammarVocabulary Vocabulary = Make(Characters);
    private static readonly CompiledGrammar List = Compile("""{"type":"array","items":{"enum":["x","yz",{"b":true}]},"minItems":2,"maxItems":6}""");

    [Fact]
    public void Outputs_are_what_the_grammar_says_whatever_the_sampling()
    {
        using var engine = Engine();
        SamplingParams[] ways =
        [
            new() { Temperature = 0 },
            new() { Temperature = 0, RepetitionPenalty = 1.5f, FrequencyPenalty = 1 },
            new() { TopK = 3 },
            new() { TopP = 0.2f, MinP = 0.1f },
            new() { Temperature = 2, LogitBias = new Dictionary<int, float> { [Id('w')] = 100, [Id('x')] = -100 } },
            new() { MinTokens = 60 },
            new() { IgnoreEos = true },
            new() { StopTokenIds = [Id('C')] },
        ];
        var sequences = ways.SelectMany(way => Enumerable.Range(0, 8).Select(seed => engine.Submit(Request(way with { Seed = seed })))).ToArray();
        engine.RunUntilIdle();
        foreach (var sequence in sequences)
        {
            var events = SteppedEngine.Events(sequence);
            Assert.Equal(FinishReason.Stop, events[^1].Finish);
            Assert.Contains(events[^1].Token!.Id, sequence.StopIds);
            var list = JsonNode.Parse(TextOf(events.SkipLast(1)))!.AsArray();
            Assert.InRange(list.Count, 2, 6);
            Assert.All(list, item => Assert.Contains(item!.ToJsonString(), (string[])["\"x\"", "\"yz\"", "{\"b\":true}"]));
        }
    }

    [Fact]
    public void Preemption_and_company_change_nothing()
    {
        var requests = Enumerable.Range(0, 8).Select(seed => Request(new() { Seed = seed, MaxTokens = 80 })).ToArray();
        var alone = requests.Select(request =>
        {
            using var engine = Engine();
            return Ids(engine.Finish(engine.Submit(request)));
        }).ToArray();

        using var tight = new SteppedEngine(new(30, 4), new() { MaxSequences = 8, MaxBatchedTokens = 16 });
        var sequences = requests.Select(tight.Submit).ToArray();
        tight.RunUntilIdle();
        Assert.True(tight.Status.Preemptions > 0);
        for (var i = 0; i < requests.Length; i++) Assert.Equal(alone[i], Ids(SteppedEngine.Events(sequences[i])));
    }

    [Fact]
    public async Task A_sequence_goes_on_where_another_engine_has_left_it()
    {
        var request = Request(new() { Seed = 4, MaxTokens = 80 });
        using var engine = Engine();
        var whole = Ids(engine.Finish(engine.Submit(request)));

        // After its first token, with the prompt's KV handed over.
        var parked = engine.Finish(engine.Submit(request with { ParkAfterFirstToken = true }))[^1];
        Assert.Equal(whole[0], parked.Token!.Id);
        var reservation = engine.Reserve(request.PromptTokens);
        engine.Step();
        var granted = await reservation.Granted;
        engine.Runner.Memory.Pull(request.PromptTokens, granted.Blocks, granted.CachedBlocks);
        Assert.Equal(whole, Ids(engine.Finish(engine.Submit(request with { Reservation = granted, FirstToken = parked.Token }))));

        // After any of its tokens, with the output so far as part of the prompt.
        for (var sent = 1; sent < whole.Length; sent += 3)
        {
            var rest = request with { PromptTokens = [.. request.PromptTokens, .. whole[..sent]], ResumedTokens = sent };
            Assert.Equal(whole[sent..], Ids(engine.Finish(engine.Submit(rest))));
        }
    }

    [Fact]
    public async Task Tokens_that_break_the_constraint_end_the_sequence_with_an_error()
    {
        using var engine = Engine();
        var request = Request(new());
        var resumed = engine.Finish(engine.Submit(request with { PromptTokens = [1, 2, Id('x')], ResumedTokens = 1 }));
        Assert.Equal((FinishReason.Error, null), (resumed[^1].Finish, resumed[^1].Token));

        var reservation = engine.Reserve(request.PromptTokens);
        engine.Step();
        var granted = await reservation.Granted;
        engine.Runner.Memory.Pull(request.PromptTokens, granted.Blocks, granted.CachedBlocks);
        var handed = engine.Finish(engine.Submit(request with { Reservation = granted, FirstToken = new(Id('x')) }));
        Assert.Equal((FinishReason.Error, null), (handed[^1].Finish, handed[^1].Token));
        Assert.Contains("constraint", handed[^1].Error, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Stop, engine.Finish(engine.Submit(request))[^1].Finish);
    }

    [Fact]
    public void A_dead_end_is_an_error_of_its_own_sequence_only()
    {
        using var engine = Engine();
        var poor = GrammarCompiler.Compile(new OutputConstraint.Choice(["[é]"]), Vocabulary);   // no token has the bytes of é
        var stuck = engine.Submit(Request(new()) with { Constraint = poor });
        var fine = engine.Submit(Request(new() { Seed = 1 }));
        engine.RunUntilIdle();
        var events = SteppedEngine.Events(stuck);
        Assert.Equal("[", TextOf(events.SkipLast(1)));
        Assert.Equal(FinishReason.Error, events[^1].Finish);
        Assert.Contains("no token", events[^1].Error, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Stop, SteppedEngine.Events(fine)[^1].Finish);
        Assert.True(engine.Status.Healthy);
        Assert.Equal(0, engine.Status.BlocksUsed);
    }

    [Fact]
    public void Log_probabilities_add_up_over_the_allowed_tokens()
    {
        using var engine = Engine();
        var events = engine.Finish(engine.Submit(Request(new() { Logprobs = 20, Seed = 2, Temperature = 1.5f })));
        foreach (var output in events)
        {
            var possible = output.Token!.TopLogprobs!.Where(top => float.IsFinite(top.Logprob)).ToArray();
            Assert.Contains(possible, top => top.Id == output.Token.Id && top.Logprob == output.Token.Logprob);
            Assert.Equal(1, possible.Sum(top => Math.Exp(top.Logprob)), 4);
        }
    }

    private static SteppedEngine Engine() => new(new(400, 4), new() { MaxSequences = 64, MaxBatchedTokens = 256 });

    private static GenerationRequest Request(SamplingParams sampling) => new() { PromptTokens = LoopFixture.Prompt(7), Sampling = sampling, Constraint = List };

    private static int[] Ids(IEnumerable<GenerationOutput> events) => [.. events.Where(output => output.Token is not null).Select(output => output.Token!.Id)];

    private static string TextOf(IEnumerable<GenerationOutput> events) => string.Concat(events.Select(output => Characters[output.Token!.Id - 1]));

    private static int Id(char c) => Characters.IndexOf(c, StringComparison.Ordinal) + 1;

    private static CompiledGrammar Compile(string schema) => GrammarCompiler.Compile(new OutputConstraint.JsonSchema(JsonDocument.Parse(schema).RootElement), Vocabulary);

    /// <summary>Id 0 ends sequences and stands for no text.</summary>
    private static GrammarVocabulary Make(string characters)
    {
        Assert.InRange(characters.Length, 1, 63);
        return GrammarVocabulary.Create([null, .. characters.Select(c => Encoding.UTF8.GetBytes([c]))]);
    }
}
