using NanoAspire.Router.Nodes;
using NanoAspire.Router.Policies;

namespace NanoAspire.Benchmarks.Routing;

/// <summary>Plays one trace through every strategy, on engines that are simulated and policies that are the router's own.</summary>
internal static class RoutingBenchmark
{
    /// <param name="requests">Length of the trace.</param>
    /// <param name="engines">Engines.</param>
    /// <param name="rate">Requests a second.</param>
    /// <param name="seed">Of trace and of random choices.</param>
    /// <param name="ct">Ends it between strategies.</param>
    public static RoutingReport Run(int requests, int engines, double rate, int seed, CancellationToken ct)
    {
        var trace = RoutingTrace.Create(requests, rate, seed);
        var figures = new List<RoutingFigures>();
        foreach (var strategy in RoutingPolicies.Names)
        {
            ct.ThrowIfCancellationRequested();
            figures.Add(Play(strategy, trace, engines, seed));
        }
        return new RoutingReport { Requests = requests, Engines = engines, RequestsPerSecond = rate, Strategies = [.. figures.OrderBy(figure => figure.P50Ms)] };
    }

    private static RoutingFigures Play(string strategy, RoutingTrace trace, int count, int seed)
    {
        var time = new VirtualTime();
        var policy = RoutingPolicies.Create(strategy, time, new Random(seed));
        var engines = Enumerable.Range(0, count).Select(i => new SimulatedEngine(i, time)).ToArray();
        var byNode = engines.ToDictionary(engine => engine.Node);
        var waits = new List<double>(trace.Requests.Count);
        var events = new PriorityQueue<Action, (TimeSpan At, int Order)>();
        var order = 0;
        foreach (var traced in trace.Requests) Schedule(traced.At, () => Arrive(traced));
        while (events.TryDequeue(out var action, out var due))
        {
            time.MoveTo(due.At);
            action();
        }
        return RoutingFigures.Of(strategy, waits, engines);

        void Schedule(TimeSpan at, Action action) => events.Enqueue(action, (at, order++));

        void Arrive(TracedRequest traced)
        {
            Node[] candidates = [.. engines.Select(engine => engine.Node)];
            policy.Rank(traced.Request, candidates);
            var engine = byNode[candidates[0]];
            var arrived = time.Now;
            var visit = engine.Node.TryEnter(traced.Request.PromptBytes) ?? throw new InvalidOperationException("a breaker opened without a failure");
            policy.Routed(traced.Request, engine.Node);
            var (waiting, started) = (engine.Node.PendingPromptBytes, engine.Node.Speed.Start());
            Schedule(engine.Prefill(traced.Request, arrived), () =>
            {
                waits.Add((time.Now - arrived).TotalSeconds);
                visit.PromptDone();
                engine.Node.Speed.Record(waiting, started);
                Schedule(time.Now + engine.Decode(traced.AnswerTokens), () =>
                {
                    visit.Succeed();
                    visit.Dispose();
                });
            });
        }
    }
}
