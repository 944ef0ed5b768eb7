using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Pages;

namespace NanoAspire.Dashboard.Tests.Pages;

public sealed class GraphTests
{
    [Fact]
    public void Who_refers_stands_left_of_what_it_refers_to()
    {
        var columns = ResourceGraph.Columns(["redis", "ctrl", "router", "decode"], [("ctrl", "redis"), ("router", "ctrl"), ("decode", "ctrl"), ("router", "redis")]);
        Assert.Equal([["router", "decode"], ["ctrl"], ["redis"]], columns);
    }

    [Fact]
    public void Circles_end()
    {
        var columns = ResourceGraph.Columns(["a", "b", "c"], [("a", "b"), ("b", "a"), ("b", "c")]);
        Assert.Equal(["a", "b", "c"], columns.SelectMany(column => column).Order());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.9, 1)]
    [InlineData(1, 1)]
    [InlineData(1.1, 2)]
    [InlineData(23, 25)]
    [InlineData(0.031, 0.05)]
    [InlineData(6000, 10000)]
    [InlineData(double.NaN, 1)]
    public void Axes_end_at_readable_numbers(double max, double expected) => Assert.Equal(expected, Chart.NiceTop(max), 1e-12);

    [Fact]
    public void A_dozen_resources_have_a_dozen_colours_that_stay()
    {
        var palette = new Palette();
        var names = Enumerable.Range(0, Palette.Colours).Select(i => $"resource-{i}").ToList();
        var colours = names.Select(palette.ClassOf).ToList();
        Assert.Equal(Palette.Colours, colours.Distinct().Count());
        _ = palette.ClassOf("one too many");
        Assert.Equal(colours, names.Select(palette.ClassOf));
        Assert.Equal(colours[3], palette.ClassOf("RESOURCE-3"));
    }
}
