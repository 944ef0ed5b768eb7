using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Pages;

/// <summary>What the application is made of, as a table or as the graph of its references.</summary>
internal static class ResourcesPage
{
    public static Page Render(DashboardContext context, PageRequest request)
    {
        var all = context.Resources.Snapshot();
        var graph = string.Equals(request["view"], "graph", StringComparison.OrdinalIgnoreCase);
        var found = all.Where(resource => request["q"] is not { } text || resource.Name.Contains(text, StringComparison.OrdinalIgnoreCase) || (resource.State ?? "").Contains(text, StringComparison.OrdinalIgnoreCase)).ToList();
        var selected = request["resource"] is { } name ? all.FirstOrDefault(resource => resource.Name == name || resource.DisplayName == name) : null;

        var html = new HtmlWriter();
        Parts.Heading(html, "Resources", Summary(all));
        html.Add($"""<form class="filters" method="get" action="/" data-auto>""");
        Parts.SearchBox(html, request, "Name or state");
        if (graph) html.Add($"""<input type="hidden" name="view" value="graph">""");
        html.Add($"""
            <div class="tabs" role="group" aria-label="View"><a href="{request.With(("view", null))}" data-swap{(graph ? Markup.Empty : new Markup(" aria-current=\"true\""))}>Table</a>
            <a href="{request.With(("view", "graph"))}" data-swap{(graph ? new Markup(" aria-current=\"true\"") : Markup.Empty)}>Graph</a></div></form>
            <div class="split{(selected is null ? "" : " open")}">
            """);
        if (all.Count == 0) Parts.Empty(html, "Nothing is listed yet", "Resources appear when the application host starts them.");
        else if (graph) ResourceGraph.Draw(html, context, request, found);
        else Table(html, context, request, found, selected);
        if (selected is not null) ResourcePanel.Render(html, context, request, selected);
        html.Add($"</div>");
        return new Page("Resources", "resources", LiveTopics.Resources, html.ToMarkup());
    }

    public static void State(HtmlWriter html, DashboardResource resource)
    {
        var code = resource.ExitCode is { } number && resource.Tone is ResourceTone.Bad or ResourceTone.Neutral ? $" ({number})" : "";
        html.Add($"""<span class="state {resource.Tone.ToString().ToLowerInvariant()}"><i class="dot"></i>{resource.State ?? "Unknown"}{code}</span>""");
        if (resource.Healthy == false) html.Add($"""<span class="state warning">Unhealthy</span>""");
    }

    public static void Urls(HtmlWriter html, DashboardResource resource)
    {
        foreach (var url in resource.Urls)
        {
            if (IsWeb(url.Url)) html.Add($"""<a class="url" href="{url.Url}" target="_blank" rel="noreferrer noopener">{url.Url}</a>""");
            else html.Add($"""<span class="url">{url.Url}</span>""");
        }
    }

    public static void Commands(HtmlWriter html, DashboardResource resource, bool all)
    {
        foreach (var command in resource.Commands)
        {
            if (!all && !command.Highlighted) continue;
            html.Add($"""
                <form class="command" method="post" action="/resources/{Uri.EscapeDataString(resource.Name)}/commands/{Uri.EscapeDataString(command.Name)}"{(command.Confirmation is { } question ? HtmlWriter.Of(w => w.Add($" data-confirm=\"{question}\"")) : Markup.Empty)}><button class="button small"{(command.Enabled ? Markup.Empty : new Markup(" disabled"))}>{command.DisplayName}</button></form>
                """);
        }
    }

    private static bool IsWeb(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";

    private static string Summary(IReadOnlyList<DashboardResource> resources)
    {
        var (running, bad) = (resources.Count(r => r.Tone == ResourceTone.Good), resources.Count(r => r.Tone == ResourceTone.Bad || r.Healthy == false));
        return bad == 0 ? $"{running} of {resources.Count} running" : $"{running} of {resources.Count} running, {bad} in trouble";
    }

    private static void Table(HtmlWriter html, DashboardContext context, PageRequest request, List<DashboardResource> resources, DashboardResource? selected)
    {
        html.Add($"""
            <div class="table-wrap"><table class="list resources">
            <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Started</th><th scope="col">Source</th><th scope="col">URLs</th><th scope="col">Actions</th></tr></thead><tbody>
            """);
        foreach (var resource in resources)
        {
            html.Add($"""
                <tr id="r-{resource.Name}" class="{context.ColourOf(resource.DisplayName)}{(resource == selected ? " selected" : "")}">
                <td class="name"><a href="{request.With(("resource", resource == selected ? null : resource.Name))}" data-swap><i class="dot"></i>{resource.Name}</a><span class="type">{resource.Type}</span></td><td>
                """);
            State(html, resource);
            html.Add($"""</td><td class="time">{(resource.StartedAt is { } started ? context.TimeOf(started, milliseconds: false) : new Markup("–"))}</td><td class="source" title="{resource.Source}">{ShortSource(resource.Source)}</td><td class="urls">""");
            Urls(html, resource);
            html.Add($"""</td><td class="actions">""");
            Commands(html, resource, all: false);
            html.Add($"""<a class="button small" href="/consolelogs/resource/{Uri.EscapeDataString(resource.Name)}">Console</a></td></tr>""");
        }
        html.Add($"</tbody></table></div>");
    }

    private static string ShortSource(string? source) => source is null ? "–" : source.Contains('/', StringComparison.Ordinal) && !source.Contains(':', StringComparison.Ordinal) ? Path.GetFileName(source) : source;
}
