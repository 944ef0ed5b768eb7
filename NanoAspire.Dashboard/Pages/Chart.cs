using System.Globalization;
using System.Text;
using System.Text.Json;
using NanoAspire.Dashboard.Html;

namespace NanoAspire.Dashboard.Pages;

/// <summary>A line of a chart; null is a gap.</summary>
internal sealed record ChartLine(string Name, string ColourClass, double?[] Values);

/// <summary>Line charts and sparklines as SVG that stretches with the page: lines keep their width, text its size.</summary>
internal static class Chart
{
    private const int Side = 1000;

    /// <param name="html">Written to.</param>
    /// <param name="id">Unique on the page, kept over refreshes.</param>
    /// <param name="lines">All with one value a moment.</param>
    /// <param name="moments">The time of each value, as text.</param>
    /// <param name="format">Of a value.</param>
    public static void Draw(HtmlWriter html, string id, IReadOnlyList<ChartLine> lines, IReadOnlyList<string> moments, Func<double, string> format)
    {
        var top = NiceTop(lines.SelectMany(line => line.Values).Max() ?? 0);
        var data = JsonSerializer.Serialize(new ChartData(moments, [.. lines.Select(line => new ChartSeries(line.Name, line.ColourClass, [.. line.Values.Select(v => v is { } value ? format(value) : null)]))]), ChartJson.Default.ChartData);
        html.Add($"""<figure class="chart" id="{id}" data-chart="{data}"><p class="keyline">""");
        foreach (var line in lines) html.Add($"""<span class="{line.ColourClass}"><i class="dot"></i>{line.Name}</span>""");
        html.Add($"""</p><svg class="plot" role="img" aria-label="{string.Join(", ", lines.Select(line => line.Name))}">""");
        for (var step = 0; step <= 4; step++)
        {
            var y = 100 - (step * 25);
            html.Add($"""<line x1="0" x2="100%" y1="{y}%" y2="{y}%"/>""");
            html.Add($"""<text x="-10" y="{y}%" dy="4" text-anchor="end">{(step == 0 ? "0" : format(top * step / 4))}</text>""");
        }
        html.Add($"""<svg width="100%" height="100%" viewBox="0 0 {Side} {Side}" preserveAspectRatio="none">""");
        foreach (var line in lines) html.Add($"""<path class="{line.ColourClass}" d="{Path(line.Values, top, closed: false)}"/>""");
        html.Add($"""</svg></svg><figcaption><span>{(moments.Count > 0 ? moments[0] : "")}</span><span>{(moments.Count > 0 ? moments[^1] : "")}</span></figcaption></figure>""");
    }

    public static void Sparkline(HtmlWriter html, double?[] values, string colourClass = "")
    {
        var top = NiceTop(values.Max() ?? 0);
        html.Add($"""<svg class="spark {colourClass}" viewBox="0 0 {Side} {Side}" preserveAspectRatio="none" aria-hidden="true"><path class="area" d="{Path(values, top, closed: true)}"/><path class="line" d="{Path(values, top, closed: false)}"/></svg>""");
    }

    /// <summary>1, 2, 2.5 or 5 times a power of ten: the quarters of the axis are readable numbers.</summary>
    internal static double NiceTop(double max)
    {
        if (max <= 0 || !double.IsFinite(max)) return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(max)));
        foreach (var factor in (double[])[1, 2, 2.5, 5])
        {
            if (max <= factor * power) return factor * power;
        }
        return 10 * power;
    }

    private static string Path(double?[] values, double top, bool closed)
    {
        var path = new StringBuilder();
        var begun = -1;
        for (var i = 0; i <= values.Length; i++)
        {
            if (i < values.Length && values[i] is { } value && double.IsFinite(value))
            {
                var y = Side - (Math.Clamp(value / top, 0, 1) * (Side - 20));                     // a little air above the highest point
                path.Append(begun < 0 ? 'M' : 'L').Append(X(i, values.Length)).Append(' ').Append(y.ToString("0.#", CultureInfo.InvariantCulture));
                if (begun < 0) begun = i;
                continue;
            }
            if (closed && begun >= 0) path.Append(CultureInfo.InvariantCulture, $"L{X(i - 1, values.Length)} {Side}L{X(begun, values.Length)} {Side}Z");
            begun = -1;
        }
        return path.ToString();
    }

    private static string X(int i, int count) => (count <= 1 ? 0d : (double)i * Side / (count - 1)).ToString("0.#", CultureInfo.InvariantCulture);
}
