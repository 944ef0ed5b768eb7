using NanoAspire.Engine.Scheduling;
using NanoAspire.Engine.Speculation;
using NanoAspire.Engine.Tests.Fakes;

namespace NanoAspire.Engine.Tests.Scheduling;

/// <summary>
/// Random requests on random, small pools: everyone finishes, every block returns, and every output is what the request gives alone,
/// however it was batched, chunked, cached, preempted, parked or handed over. Invariants are checked after each step.
/// </summary>
public sealed class RandomPoolTests
{
    private const int Requests = 250;

    [Theory]
    [InlineData(51), InlineData(52), InlineData(53), InlineData(54), InlineData(55), InlineData(56), InlineData(57), InlineData(58)]
    public void Everyone_finishes_in_a_recurrent_model_too(int seed)
    {
        var random = new Random(seed);
        var blockSize = random.Next(1, 6);
        var maxSequences = random.Next(1, 9);
        var runner = new FakeRunner(random.Next(60, 140) / blockSize + 2, blockSize, vocab: 40, maxPositions: random.Next(70, 200), stateSlots: random.Next(1, 2 * maxSequences + 6));
        using var engine = new SteppedEngine(runner, new() { MaxSequences = maxSequences, MaxBatchedTokens = maxSequences + random.Next(0, 30), PrefixCaching = random.Next(5) > 0 });
        new RandomPool(engine, random).Run(Requests);

        Assert.Equal(Requests, engine.Ended);
        Assert.Equal((0, 0, 0, 0, 0), (engine.Status.Running, engine.Status.Waiting, engine.Status.BlocksUsed, engine.Status.ParkedSequences, engine.Status.StateSlotsUsed));
        Assert.True(engine.Status.Healthy);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    [InlineData(9), InlineData(10), InlineData(11), InlineData(12), InlineData(13), InlineData(14), InlineData(15), InlineData(16)]
    public void Everyone_finishes_and_every_block_returns(int seed)
    {
        var random = new Random(seed);
        var blockSize = random.Next(1, 6);
        var maxSequences = random.Next(1, 9);
        using var engine = new SteppedEngine(new FakeRunner(random.Next(60, 140) / blockSize + 2, blockSize, vocab: 40, maxPositions: random.Next(70, 200)), new()
        {
            MaxSequences = maxSequences,
            MaxBatchedTokens = maxSequences + random.Next(0, 30),
            PrefixCaching = random.Next(5) > 0,
        });
        var pool = new RandomPool(engine, random);
        pool.Run(Requests);

        Assert.Equal(Requests, engine.Ended);
        Assert.Equal((0, 0, 0, 0), (engine.Status.Running, engine.Status.Waiting, engine.Status.BlocksUsed, engine.Status.ParkedSequences));
        Assert.Equal(engine.Status.BlocksTotal, engine.Status.BlocksFree);
        Assert.True(engine.Status.Healthy);
        Assert.True(pool.Aborted > 0 && pool.HandedOver > 0 && pool.Compared > Requests / 3, pool.ToString());
    }

    [Theory]
    [InlineData(21, false), InlineData(22, false), InlineData(23, false), InlineData(24, false), InlineData(25, false), InlineData(26, false)]
    [InlineData(61, true), InlineData(62, true), InlineData(63, true), InlineData(64, true), InlineData(65, true), InlineData(66, true)]
    public void Guesses_right_or_wrong_change_nothing(int seed, bool recurrent)
    {
        var random = new Random(seed);
        var blockSize = random.Next(1, 6);
        var maxSequences = random.Next(1, 9);
        var slots = recurrent ? random.Next(1, 2 * maxSequences + 6) : 0;
        var runner = new FakeRunner(random.Next(60, 140) / blockSize + 2, blockSize, vocab: 40, maxPositions: random.Next(70, 200), slots);
        using var engine = new SteppedEngine(runner, new() { MaxSequences = maxSequences, MaxBatchedTokens = maxSequences + random.Next(0, 30), PrefixCaching = random.Next(5) > 0 }, new OracleDrafter(runner, random, most: 5));
        new RandomPool(engine, random).Run(Requests);

        Assert.Equal(Requests, engine.Ended);
        Assert.Equal((0, 0, 0, 0, 0), (engine.Status.Running, engine.Status.Waiting, engine.Status.BlocksUsed, engine.Status.ParkedSequences, engine.Status.StateSlotsUsed));
        Assert.True(engine.Status.Healthy);
        Assert.Equal(runner.Drafts, engine.Status.DraftedTokens);
        if (slots != 1) Assert.InRange(engine.Status.AcceptedTokens, 1, engine.Status.DraftedTokens - 1);
    }

    [Theory, InlineData(31, false), InlineData(32, false), InlineData(33, false), InlineData(34, false), InlineData(71, true), InlineData(72, true), InlineData(73, true)]
    public void A_draft_module_keeps_up_with_everything(int seed, bool recurrent)
    {
        var random = new Random(seed);
        var (blockSize, memory, maxSequences) = (random.Next(1, 6), random.Next(1, 4), random.Next(1, 9));
        var runner = new FakeRunner(random.Next(60, 140) / blockSize + 2, blockSize, vocab: 40, maxPositions: random.Next(70, 200), recurrent ? 2 * maxSequences + 6 : 0, memory);
        using var engine = new SteppedEngine(runner, new() { MaxSequences = maxSequences, MaxBatchedTokens = maxSequences + random.Next(0, 30), PrefixCaching = random.Next(5) > 0 },
            new MtpDrafter(new FakeDraftRunner(runner, memory), runner.Model.VocabSize, blockSize, random.Next(1, 6)));
        new RandomPool(engine, random).Run(Requests);
        Assert.Equal((Requests, 0, 0), (engine.Ended, engine.Status.BlocksUsed, engine.Status.StateSlotsUsed));
        Assert.InRange(engine.Status.AcceptedTokens, engine.Status.DraftedTokens / 4, engine.Status.DraftedTokens - 1);   // some sample: their drafts are greedy
    }

    [Fact]
    public void Small_pools_do_preempt()
    {
        var preemptions = 0L;
        for (var seed = 100; seed < 104; seed++)
        {
            using var engine = new SteppedEngine(new FakeRunner(22, 4, vocab: 40, maxPositions: 64), new() { MaxSequences = 6, MaxBatchedTokens = 12 });
            new RandomPool(engine, new Random(seed)).Run(100);
            preemptions += engine.Status.Preemptions;
            Assert.Equal(engine.Status.BlocksTotal, engine.Status.BlocksFree);
        }
        Assert.True(preemptions > 20, $"{preemptions} preemptions");
    }

    [Fact]
    public void A_reservation_given_up_while_it_is_granted_frees_its_blocks()
    {
        using var engine = new SteppedEngine(new FakeRunner(8, 4), new());
        var reservation = engine.Reserve([1, 2, 3, 4, 5]);
        Assert.True(reservation.Cancel(new(canceled: true)));   // the engine has not heard of it when it grants
        engine.Step();
        Assert.Equal((1, 0), (engine.Ended, engine.Status.BlocksUsed));
        engine.Core.Cancel(reservation);
        Assert.Equal(1, engine.Ended);
    }

    private sealed class RandomPool(SteppedEngine engine, Random random)
    {
        private readonly int[][] _openings = [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 24).Select(_ => random.Next(40)).ToArray())];
        private readonly List<(Sequence Sequence, GenerationRequest Request)> _live = [];
        private readonly List<(ParkedKv Parked, GenerationRequest Request, SampledToken First)> _parked = [];
        private readonly List<(Reservation Reservation, GenerationRequest Request, SampledToken First)> _reserved = [];
        private int _started;

        public int Aborted { get; private set; }
        public int HandedOver { get; private set; }
        public int Compared { get; private set; }

        private int Longest => Math.Min(engine.Runner.Model.MaxPositions, engine.Core.Pool.Total * engine.Core.Pool.BlockSize + 1);

        public override string ToString() => $"aborted {Aborted}, handed over {HandedOver}, compared {Compared}";

        public void Run(int requests)
        {
            for (var steps = 0; _started < requests || _live.Count + _parked.Count + _reserved.Count > 0; steps++)
            {
                Assert.True(steps < 200_000, $"somebody never finishes: {_live.Count} live, {_parked.Count} parked, {_reserved.Count} reserved");
                if (_started < requests && _live.Count + _reserved.Count < 16 && random.Next(3) > 0) Start();
                if (_live.Count > 0 && random.Next(60) == 0) engine.Abort(_live[random.Next(_live.Count)].Sequence);
                if (_parked.Count > 0 && random.Next(6) == 0) Release(random.Next(_parked.Count));
                for (var i = _reserved.Count - 1; i >= 0; i--) TryHandOver(i);
                engine.Step();
                for (var i = _live.Count - 1; i >= 0; i--) Collect(i);
            }
            engine.Step();                                 // the last releases
        }

        private void Start()
        {
            var opening = _openings[random.Next(_openings.Length)];
            var length = random.Next(1, Math.Min(50, Longest - 1));
            int[] prompt = [.. opening.Take(length), .. Enumerable.Range(0, Math.Max(0, length - opening.Length)).Select(_ => random.Next(40))];
            var request = new GenerationRequest
            {
                PromptTokens = prompt,
                Sampling = new()
                {
                    Temperature = random.Next(2) == 0 ? 0 : 0.8f,
                    TopK = random.Next(0, 20),
                    RepetitionPenalty = random.Next(3) == 0 ? 1.2f : 1,
                    Seed = random.NextInt64(),
                    MaxTokens = random.Next(4) == 0 ? null : random.Next(1, 40),
                    MinTokens = random.Next(3) == 0 ? 3 : 0,
                    StopTokenIds = random.Next(3) == 0 ? [random.Next(40)] : [],
                    IgnoreEos = random.Next(3) == 0,
                },
                ParkAfterFirstToken = random.Next(4) == 0,
                ParkWhenFinished = random.Next(8) == 0,
            };
            if (engine.Runner.Memory.StateSlots > 0 && !request.ParkAfterFirstToken) request = request with { ParkWhenFinished = false };
            _started++;
            if (random.Next(4) == 0) Reserve(request with { ParkAfterFirstToken = false, ParkWhenFinished = engine.Runner.Memory.StateSlots == 0 && request.ParkWhenFinished });
            else _live.Add((engine.Submit(request), request));
        }

        /// <summary>A request that another engine has prefilled; its first token is what the model says.</summary>
        private void Reserve(GenerationRequest request) =>
            _reserved.Add((engine.Reserve(request.PromptTokens), request, new(SteppedEngine.Alone(engine.Runner, request, Longest).Tokens[0])));

        private void TryHandOver(int i)
        {
            var (reservation, request, first) = _reserved[i];
            if (!reservation.Granted.IsCompleted)
            {
                if (random.Next(200) > 0) return;
                Assert.True(reservation.Cancel(new(canceled: true)));
                engine.Core.Cancel(reservation);
                Aborted++;
            }
            else if (random.Next(3) > 0)
            {
                return;                                    // the pull takes its time
            }
            else if (random.Next(8) == 0)
            {
                reservation.Granted.Result.Dispose();      // the pull failed
                Aborted++;
            }
            else
            {
                var granted = reservation.Granted.Result;
                engine.Runner.Memory.Pull(request.PromptTokens, granted.Blocks, granted.CachedBlocks);
                request = request with { Reservation = granted, FirstToken = first };
                _live.Add((engine.Submit(request), request));
                HandedOver++;
            }
            _reserved.RemoveAt(i);
        }

        private void Release(int i)
        {
            var (parked, request, first) = _parked[i];
            Assert.Equal(request.PromptTokens, engine.Runner.Memory.Read(parked.Blocks, parked.TokenCount));
            Assert.Equal(SteppedEngine.Alone(engine.Runner, request, Longest).Tokens[0], first.Id);
            if (engine.Runner.Memory.StateSlots > 0)
            {
                var slot = engine.Runner.Memory.SlotOf(parked.Blocks, parked.TokenCount);
                Assert.Equal((request.PromptTokens.Aggregate(0UL, FakeRunner.Mix), parked.TokenCount), engine.Runner.Memory.State(slot));
            }
            parked.Release();
            parked.Release();                              // twice is once
            _parked.RemoveAt(i);
        }

        private void Collect(int i)
        {
            var (sequence, request) = _live[i];
            if (sequence.State != ClaimState.Ended) return;
            _live.RemoveAt(i);
            var events = SteppedEngine.Events(sequence);
            Assert.True(sequence.Outputs.Completion.IsCompleted);
            Assert.Equal(Enumerable.Range(0, events.Count), events.Select(o => o.Index));
            var last = events[^1];
            Assert.NotEqual(FinishReason.Error, last.Finish);
            var (tokens, finish) = SteppedEngine.Alone(engine.Runner, request, Longest);
            var got = events.Where(o => o.Token is not null).Select(o => o.Token!.Id).ToList();
            Assert.Equal(tokens.Take(got.Count), got);
            if (last.Parked is { } parked) _parked.Add((parked, request, events[0].Token!));
            Assert.Equal(last.Parked is not null, last.Finish is null || (request.ParkWhenFinished && last.Finish != FinishReason.Abort));
            if (last.Finish == FinishReason.Abort)
            {
                Aborted++;
                return;
            }
            if (last.Finish is null) return;
            Compared++;
            Assert.Equal((tokens.Count, finish), (got.Count, last.Finish));
        }
    }
}
