using NanoAspire.Dashboard.Telemetry;
using static NanoAspire.Dashboard.Tests.Telemetry.Spans;

namespace NanoAspire.Dashboard.Tests.Telemetry;

public sealed class StoreTests
{
    [Fact]
    public void The_trace_that_came_first_goes_first()
    {
        var store = new TraceStore(maxTraces: 3, maxSpans: 100);
        for (var trace = 1; trace <= 5; trace++) store.Add([Span(trace, 1)]);
        store.Add([Span(3, 2)]);
        Assert.Equal([3, 4, 5], store.AllSpans().Select(span => Convert.ToInt32(span.TraceId, 16)).Distinct());
        Assert.Equal(2, store.Spans(3.ToString("x32")).Count);
        Assert.Empty(store.Spans(1.ToString("x32")));
    }

    [Fact]
    public void Spans_are_bounded_over_all_traces_and_within_one()
    {
        var store = new TraceStore(maxTraces: 100, maxSpans: 8);
        store.Add([.. Enumerable.Range(1, 50).Select(id => Span(1, id))]);
        Assert.Equal(2, store.AllSpans().Count);                                      // a quarter: one endless trace leaves room for others
        for (var trace = 2; trace <= 9; trace++) store.Add([Span(trace, 1), Span(trace, 2)]);
        Assert.Equal(8, store.AllSpans().Count);
        Assert.False(store.Contains(1.ToString("x32")));
    }

    [Fact]
    public void A_span_that_is_sent_twice_is_kept_once()
    {
        var store = new TraceStore(10, 100);
        store.Add([Span(1, 1)]);
        store.Add([Span(1, 1)]);
        Assert.Equal(1, Assert.Single(store.Summaries()).SpanCount);
    }

    [Fact]
    public void A_summary_follows_spans_that_arrive_later()
    {
        var store = new TraceStore(10, 100);
        store.Add([Span(1, 2, parent: 1, start: 50, end: 90, resource: "decode", name: "inner")]);
        Assert.Equal("inner", Assert.Single(store.Summaries()).Root.Name);            // its parent is not known yet
        store.Add([Span(1, 1, start: 10, end: 80, name: "outer"), Span(1, 3, parent: 2, start: 60, end: 200, resource: "decode", error: true)]);
        var summary = Assert.Single(store.Summaries());
        Assert.Equal(("outer", 10ul, 200ul, 3, true), (summary.Root.Name, summary.Start, summary.End, summary.SpanCount, summary.HasError));
        Assert.Equal([("router", 1, 0), ("decode", 2, 1)], summary.Resources.Select(entry => (entry.Resource.Name, entry.Spans, entry.Errors)));
    }

    [Fact]
    public void The_newest_trace_is_listed_first()
    {
        var store = new TraceStore(10, 100);
        store.Add([Span(1, 1, start: 30), Span(2, 1, start: 50), Span(3, 1, start: 40)]);
        Assert.Equal([50ul, 40, 30], store.Summaries().Select(trace => trace.Start));
    }

    [Fact]
    public void Logs_are_a_ring_with_running_numbers()
    {
        var store = new LogStore(maxLogs: 3);
        store.Add([.. Enumerable.Range(1, 5).Select(i => Log($"m{i}"))]);
        Assert.Equal([(3L, "m3"), (4L, "m4"), (5L, "m5")], store.All().Select(log => (log.Id, log.Message)));
    }

    [Fact]
    public void The_process_silent_longest_is_forgotten_with_its_metrics()
    {
        var registry = new ResourceRegistry(maxResources: 2);
        var forgotten = new List<string>();
        registry.Forgotten += resource => forgotten.Add(resource.Name);
        registry.Intern([new("service.name", "a")]);
        registry.Intern([new("service.name", "b")]);
        registry.Intern([new("service.name", "a")]);
        registry.Intern([new("service.name", "c")]);
        Assert.Equal(["b"], forgotten);
        Assert.Equal(["a", "c"], registry.All().Select(resource => resource.Name));
    }

    [Fact]
    public void Replicas_are_told_apart_by_the_beginning_of_their_instance()
    {
        var registry = new ResourceRegistry(10);
        var first = registry.Intern([new("service.name", "decode"), new("service.instance.id", "abcdefghijkl")]);
        Assert.Equal("decode", registry.DisplayName(first));
        registry.Intern([new("service.name", "decode"), new("service.instance.id", "mnop")]);
        Assert.Equal("decode-abcdefgh", registry.DisplayName(first));
    }

    [Fact]
    public void The_same_process_is_one_object()
    {
        var registry = new ResourceRegistry(10);
        Assert.Same(registry.Intern([new("service.name", "a")]), registry.Intern([new("service.name", "a")]));
    }

    [Fact]
    public void Readers_and_writers_may_meet()
    {
        var store = new TraceStore(maxTraces: 50, maxSpans: 500);
        Parallel.For(0, 8, worker =>
        {
            for (var i = 0; i < 200; i++)
            {
                store.Add([Span((worker * 1000) + i, 1), Span((worker * 1000) + i, 2, parent: 1)]);
                if (i % 20 == 0) Assert.All(store.Summaries(), summary => Assert.InRange(summary.SpanCount, 1, 2));
            }
        });
        Assert.Equal(50, store.Summaries().Count);
    }
}
