using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels.Cpu;

namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class ExpertTests : IDisposable
{
    private readonly CpuKernels _kernels = new(threads: 3);
    private readonly Workspace _workspace = new();

    public void Dispose()
    {
        _workspace.Dispose();
        _kernels.Dispose();
    }

    public static TheoryData<string, int, int, int, int, bool> Routers
    {
        get
        {
            var routers = new TheoryData<string, int, int, int, int, bool>();
            foreach (var score in Enum.GetNames<RouterScore>())
                foreach (var (experts, topK, groups, topGroups) in ((int, int, int, int)[])[(1, 1, 1, 1), (8, 2, 1, 1), (37, 5, 1, 1), (16, 4, 4, 2), (128, 8, 8, 4), (6, 3, 6, 3), (30, 30, 1, 1)])
                    foreach (var normalise in (bool[])[true, false]) routers.Add(score, experts, topK, groups, topGroups, normalise);
            return routers;
        }
    }

    [Theory, MemberData(nameof(Routers))]
    public void Routing_agrees_with_the_reference(string score, int experts, int topK, int groups, int topGroups, bool normalise)
    {
        const int Tokens = 45;
        var router = new RouterConfig { Score = Enum.Parse<RouterScore>(score), Experts = experts, TopK = topK, Groups = groups, TopGroups = topGroups, Normalise = normalise, Scale = 2.5f };
        var bias = Numbers.Normal(experts, seed: 2, deviation: 0.1);
        foreach (var biased in (bool[])[true, false])
        {
            using var frame = _workspace.Enter();
            var values = Numbers.Normal(Tokens * experts, seed: 1, deviation: 2);
            var routes = Route(frame, router, values, Tokens, biased ? bias : null);
            for (var t = 0; t < Tokens; t++)
            {
                var expected = ExpertRouting.Reference(values.AsSpan(t * experts, experts), biased ? bias : [], router);
                Assert.Equal(expected.Select(e => e.Expert), new ReadOnlySpan<int>(routes.Chosen + t * topK, topK).ToArray());
                for (var rank = 0; rank < topK; rank++) Assert.Equal(expected[rank].Weight, routes.Weights[t * topK + rank], tolerance: 1e-5);
            }
        }
    }

    [Fact]
    public void Equal_scores_go_to_the_lower_index()
    {
        var router = new RouterConfig { Score = RouterScore.Sigmoid, Experts = 8, TopK = 3, Groups = 4, TopGroups = 2, Normalise = true };
        using var frame = _workspace.Enter();
        var routes = Route(frame, router, [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2, 0, 1, 0, 0, 0, 1, 0, 1], tokens: 3, bias: null);
        Assert.Equal([0, 1, 2, 4, 5, 6, 1, 5, 0], new ReadOnlySpan<int>(routes.Chosen, 9).ToArray());
    }

    [Fact]
    public void A_dropped_group_gives_no_expert_even_when_all_keys_are_negative()
    {
        var router = new RouterConfig { Score = RouterScore.Sigmoid, Experts = 4, TopK = 2, Groups = 2, TopGroups = 1, Normalise = false };
        using var frame = _workspace.Enter();
        var routes = Route(frame, router, [0, 0, 0, 0], tokens: 1, bias: [-5, -6, -5.2f, -5.3f]);
        Assert.Equal([2, 3], new ReadOnlySpan<int>(routes.Chosen, 2).ToArray());
    }

    [Fact]
    public void A_table_decides_by_token_and_logits_give_the_weights()
    {
        var router = new RouterConfig { Score = RouterScore.SqrtSoftplus, Experts = 4, TopK = 2, Normalise = true, Scale = 1.5f };
        var batch = new StepBatch();
        foreach (var token in (int[])[2, 0])
        {
            batch.Positions.Add(batch.Tokens.Count);
            batch.Tokens.Add(token);
        }
        batch.Sequences.Add(new(0, 2, 2, [0], NeedsLogits: false));
        var step = new StepInput();
        step.Fill(batch, vocabSize: 3, blockSize: 16, poolBlocks: 1, maxPositions: 16);
        using var frame = _workspace.Enter();
        var logits = frame.Tensor(2, 4);
        for (var t = 0; t < 2; t++) ((float[])[0, 1, 2, 3]).CopyTo(logits.RowSpan(t));
        var routes = new ExpertRoutes(frame, 2, 2, 4);
        int[] table = [3, 1, 0, 0, 2, 0];
        fixed (int* entries = table) _kernels.Route(logits, new ExpertTable(entries, 2), step, router, routes);
        Assert.Equal([2, 0, 3, 1], new ReadOnlySpan<int>(routes.Chosen, 4).ToArray());
        var (two, none) = (Math.Sqrt(Math.Log(1 + Math.Exp(2))), Math.Sqrt(Math.Log(2)));
        Assert.Equal(1.5 * two / (two + none), routes.Weights[0], 1e-6);
    }

    [Theory, InlineData(-70f), InlineData(-60f), InlineData(-38f), InlineData(-31f), InlineData(-20f), InlineData(-12f)]
    public void Scores_next_to_nothing_keep_their_ratios(float logit)
    {
        var router = new RouterConfig { Score = RouterScore.SqrtSoftplus, Experts = 3, TopK = 2, Normalise = true };
        using var frame = _workspace.Enter();
        var routes = Route(frame, router, [logit - 1, logit, logit - 9], tokens: 1, bias: null);
        Assert.Equal([1, 0], new ReadOnlySpan<int>(routes.Chosen, 2).ToArray());
        Assert.Equal(1 / (1 + Math.Exp(-0.5)), routes.Weights[0], 1e-4);     // √softplus(x) → e^(x/2)
        Assert.Equal(Math.Exp(logit) * (1 - Math.Exp(logit) / 2), ExpertRouting.Softplus(logit), Math.Exp(logit) * 1e-6 + 1e-44);
    }

    [Theory]
    [InlineData(1, 8, 2, 20, 24, "F32"), InlineData(3, 5, 5, 33, 31, "F32"), InlineData(40, 64, 6, 16, 70, "BF16"), InlineData(700, 3, 2, 24, 40, "BF16"), InlineData(9, 16, 1, 40, 32, "F16")]
    public void A_token_gets_the_weighted_sum_of_its_experts_products(int tokens, int experts, int topK, int columns, int rows, string type)
    {
        var router = new RouterConfig { Score = RouterScore.Softmax, Experts = experts, TopK = topK, Normalise = true };
        var matrices = new Matrix[experts];
        for (var e = 0; e < experts; e++)
        {
            matrices[e] = _kernels.CreateMatrix(rows, columns, Enum.Parse<WeightType>(type));
            fixed (float* source = Numbers.Normal(rows * columns, seed: e)) matrices[e].Write(0, rows, source, WeightType.F32);
        }
        using var frame = _workspace.Enter();
        var routes = Route(frame, router, Numbers.Normal(tokens * experts, seed: 9), tokens, bias: null);
        var x = frame.Tensor(tokens, columns);
        for (var t = 0; t < tokens; t++) Numbers.Normal(columns, seed: 100 + t).CopyTo(x.RowSpan(t));
        var gathered = frame.Tensor(routes.Rows, columns);
        _kernels.GatherExperts(x, routes, gathered);
        var products = _kernels.ExpertLinear(gathered, matrices, routes, frame);
        var sums = frame.Tensor(tokens, rows);
        for (var t = 0; t < tokens; t++) sums.RowSpan(t).Fill(1);
        _kernels.CombineExperts(products, routes, sums);

        var alone = frame.Tensor(1, rows);
        var expected = new double[rows];
        for (var t = 0; t < tokens; t++)
        {
            Array.Fill(expected, 1);
            for (var rank = 0; rank < topK; rank++)
            {
                var expert = routes.Chosen[t * topK + rank];
                _kernels.Linear(new Tensor(x.Row(t), 1, columns), matrices[expert], alone);
                Assert.Equal(alone.RowSpan(0), products.RowSpan(routes.RowOf[t * topK + rank]));   // the same bits
                for (var i = 0; i < rows; i++) expected[i] += (double)routes.Weights[t * topK + rank] * alone.RowSpan(0)[i];
            }
            for (var i = 0; i < rows; i++) Assert.Equal(expected[i], sums.RowSpan(t)[i], 1e-4);
        }
        foreach (var matrix in matrices) matrix.Dispose();
    }

    [Fact]
    public void Experts_that_nobody_chose_are_not_read()
    {
        var router = new RouterConfig { Score = RouterScore.Softmax, Experts = 3, TopK = 1, Normalise = false };
        using var frame = _workspace.Enter();
        var routes = Route(frame, router, [0, 5, 0, 0, 9, 0], tokens: 2, bias: null);
        using var chosen = _kernels.CreateMatrix(8, 4, WeightType.F32);
        var x = frame.Tensor(2, 4);
        x.RowSpan(0).Clear();
        x.RowSpan(1).Clear();
        _kernels.ExpertLinear(x, [chosen, chosen, null!], routes, frame);    // the first only for its shape
        Assert.Equal((1, 1, 0, 2), (routes.GroupCount, routes.Group(0).Expert, routes.Group(0).First, routes.Group(0).End));
    }

    [Fact]
    public void A_sigmoid_gate_scales_its_row()
    {
        using var frame = _workspace.Enter();
        var (gate, x) = (frame.Tensor(2, 1), frame.Tensor(2, 37));
        (gate.RowSpan(0)[0], gate.RowSpan(1)[0]) = (0, 3);
        x.RowSpan(0).Fill(2);
        x.RowSpan(1).Fill(-1);
        _kernels.SigmoidScale(gate, x);
        foreach (var value in x.RowSpan(0).ToArray()) Assert.Equal(1, value, 1e-6);
        foreach (var value in x.RowSpan(1).ToArray()) Assert.Equal(-1 / (1 + Math.Exp(-3)), value, 1e-6);
    }

    private ExpertRoutes Route(Workspace.Frame frame, RouterConfig router, float[] logits, int tokens, float[]? bias)
    {
        var scores = frame.Tensor(tokens, router.Experts);
        for (var t = 0; t < tokens; t++) logits.AsSpan(t * router.Experts, router.Experts).CopyTo(scores.RowSpan(t));
        var routes = new ExpertRoutes(frame, tokens, router.TopK, router.Experts);
        Tensor? correction = null;
        if (bias is not null)
        {
            var row = frame.Tensor(1, router.Experts);
            bias.CopyTo(row.RowSpan(0));
            correction = row;
        }
        _kernels.Route(scores, correction, router, routes);
        return routes;
    }
}
