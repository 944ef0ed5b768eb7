using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The references between resources as layers from left to right: who refers stands left of what it refers to.</summary>
internal static class ResourceGraph
{
    private const int NodeWidth = 176, NodeHeight = 56, ColumnGap = 96, RowGap = 22, Margin = 12;

    public static void Draw(HtmlWriter html, DashboardContext context, PageRequest request, List<DashboardResource> resources)
    {
        // Replicas share a node: the graph is of the model, not of its processes.
        var nodes = resources.GroupBy(r => r.DisplayName, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.OrdinalIgnoreCase);
        var edges = nodes.SelectMany(node => node.Value[0].Relations.Where(r => r.Type != "Parent" && nodes.ContainsKey(r.Resource) && !r.Resource.Equals(node.Key, StringComparison.OrdinalIgnoreCase)).Select(r => (From: node.Key, To: r.Resource)))
            .Distinct().ToList();
        var columns = Columns([.. nodes.Keys], edges);
        var rows = columns.Max(column => column.Count);
        var (width, height) = ((columns.Count * (NodeWidth + ColumnGap)) - ColumnGap + (2 * Margin), (rows * (NodeHeight + RowGap)) - RowGap + (2 * Margin));
        var places = columns.SelectMany((column, x) => column.Select((name, y) => (name, X: Margin + (x * (NodeWidth + ColumnGap)), Y: Margin + (((height - (2 * Margin)) - ((column.Count * (NodeHeight + RowGap)) - RowGap)) / 2) + (y * (NodeHeight + RowGap)))))
            .ToDictionary(place => place.name, place => (place.X, place.Y), StringComparer.OrdinalIgnoreCase);

        html.Add($"""<div class="graph"><svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="References between resources"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.500 7 4 0 7.500Z"/></marker></defs>""");
        foreach (var (from, to) in edges) Edge(html, places[from], places[to], context.ColourOf(from));
        foreach (var (name, members) in nodes) Node(html, context, request, name, members, places[name]);
        html.Add($"</svg></div>");
    }

    /// <summary>A node's column is one right of the farthest node that refers to it; in a circle the rounds run out.</summary>
    internal static List<List<string>> Columns(IReadOnlyList<string> nodes, IReadOnlyList<(string From, string To)> edges)
    {
        var column = nodes.ToDictionary(node => node, _ => 0, StringComparer.OrdinalIgnoreCase);
        for (var round = 0; round < nodes.Count; round++)
        {
            var moved = false;
            foreach (var (from, to) in edges)
            {
                if (column[to] > column[from] || column[from] + 1 >= nodes.Count) continue;
                column[to] = column[from] + 1;
                moved = true;
            }
            if (!moved) break;
        }
        return [.. nodes.GroupBy(node => column[node]).OrderBy(group => group.Key).Select(group => group.ToList())];
    }

    private static void Edge(HtmlWriter html, (int X, int Y) from, (int X, int Y) to, string colour)
    {
        var (x1, y1) = (from.X + NodeWidth, from.Y + (NodeHeight / 2));
        var (x2, y2) = (to.X - 2, to.Y + (NodeHeight / 2));
        var bend = Math.Max(40, Math.Abs(x2 - x1) / 2);
        html.Add($"""<path class="edge {colour}" d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" marker-end="url(#arrow)"/>""");
    }

    private static void Node(HtmlWriter html, DashboardContext context, PageRequest request, string name, List<DashboardResource> members, (int X, int Y) place)
    {
        var worst = members.MaxBy(member => member.Healthy == false && member.Tone < ResourceTone.Warning ? (int)ResourceTone.Warning : (int)member.Tone)!;
        var tone = worst.Healthy == false && worst.Tone < ResourceTone.Warning ? "warning" : worst.Tone.ToString().ToLowerInvariant();
        var count = members.Count > 1 ? $" ×{members.Count}" : "";
        html.Add($"""
            <a href="{request.With(("resource", members[0].Name))}" data-swap><g class="node {context.ColourOf(name)} {tone}" transform="translate({place.X} {place.Y})"><rect width="{NodeWidth}" height="{NodeHeight}" rx="10"/><rect class="edge-mark" width="4" height="{NodeHeight - 24}" x="0" y="12" rx="2"/>
            <text class="title" x="18" y="25">{name}{count}</text><circle class="dot" cx="22" cy="40" r="3.500"/><text class="sub" x="32" y="44">{worst.State ?? "Unknown"}</text></g></a>
            """);
    }
}
