using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Console output, streamed. Without a resource the lines of all are interleaved as they come.</summary>
internal static class ConsolePage
{
    public static Page Render(DashboardContext context, string? resource)
    {
        var resources = context.Resources.Snapshot();
        var html = new HtmlWriter();
        var known = resource is null || resources.Any(candidate => candidate.Name == resource);
        Parts.Heading(html, "Console", resource);
        html.Add($"""<form class="filters" method="get" action="/consolelogs" data-console>""");
        Parts.Select(html, "name", "Resource", [("", "All resources"), .. resources.Select(r => (r.Name, r.Name))], resource);
        html.Add($"""
            <label class="toggle"><input id="follow" type="checkbox" checked><span>Follow</span></label>
            <label class="toggle"><input id="wrap" type="checkbox"><span>Wrap lines</span></label>
            <button class="button" type="button" data-clear-console>Clear</button>
            """);
        if (resource is not null && known) html.Add($"""<a class="button" href="/consolelogs/download/{Uri.EscapeDataString(resource)}" download>{Icons.Download}Download</a>""");
        html.Add($"""<noscript><button class="button">Show</button></noscript></form>""");
        if (!known) Parts.Empty(html, $"There is no resource named {resource}", "Choose one from the list.");
        else html.Add($"""<div class="console{(resource is null ? " all" : "")}" id="console" data-stream="/consolelogs/stream{(resource is null ? "" : $"?name={Uri.EscapeDataString(resource)}")}" data-keep tabindex="0" role="log" aria-label="Console output"></div>""");
        return new Page(resource is null ? "Console" : $"Console: {resource}", "console", LiveTopics.None, html.ToMarkup(), known ? 200 : 404);
    }

    /// <summary>One line; <paramref name="resource"/> is named when several share the page.</summary>
    public static void Line(HtmlWriter html, DashboardContext context, DashboardResource? resource, ConsoleLine line)
    {
        html.Add($"""<div class="ln{(line.IsError ? " err" : "")}">""");
        if (resource is null) html.Add($"""<span class="no">{line.Number}</span>""");
        else html.Add($"""<span class="who {context.ColourOf(resource.DisplayName)}">{resource.Name}</span>""");
        if (line.Timestamp is { } timestamp) html.Add($"""<span class="ts">{context.Local(timestamp).ToString("HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture)}</span>""");
        html.Add($"""<span class="tx">{Ansi.ToHtml(line.Text)}</span></div>""");
    }
}
