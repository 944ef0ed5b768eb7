using NanoAspire.Dashboard.Telemetry;
using static NanoAspire.Dashboard.Tests.Telemetry.Spans;

namespace NanoAspire.Dashboard.Tests.Telemetry;

public sealed class TraceTreeTests
{
    [Fact]
    public void Children_stand_below_their_parent_in_the_order_they_began()
    {
        var tree = TraceTree.Build([Span(1, 4, parent: 2, start: 30), Span(1, 3, parent: 1, start: 50), Span(1, 2, parent: 1, start: 20), Span(1, 1, start: 10)]);
        Assert.Equal([(1, 0, 2), (2, 1, 1), (4, 2, 0), (3, 1, 0)], tree.Rows.Select(row => (Convert.ToInt32(row.Span.SpanId, 16), row.Depth, row.Children)));
        Assert.Equal(3, tree.Depth);
    }

    [Fact]
    public void A_span_whose_parent_never_came_stands_at_the_top()
    {
        var tree = TraceTree.Build([Span(1, 1, start: 10), Span(1, 3, parent: 99, start: 5)]);
        Assert.Equal([(3, 0), (1, 0)], tree.Rows.Select(row => (Convert.ToInt32(row.Span.SpanId, 16), row.Depth)));
    }

    [Fact]
    public void Spans_that_are_each_others_parents_are_still_shown_once()
    {
        var tree = TraceTree.Build([Span(1, 1, parent: 2), Span(1, 2, parent: 1), Span(1, 3, parent: 3)]);
        Assert.Equal(3, tree.Rows.Select(row => row.Span.SpanId).Distinct().Count());
        Assert.Equal(3, tree.Rows.Count);
    }

    [Fact]
    public void Depth_is_bounded_by_memory_and_not_by_the_stack()
    {
        var tree = TraceTree.Build([.. Enumerable.Range(1, 20_000).Select(id => Span(1, id, parent: id == 1 ? null : id - 1, start: (ulong)id))]);
        Assert.Equal(20_000, tree.Depth);
    }
}
