using System.Text.RegularExpressions;
using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Everything known of one resource. Secret values are not in the page: they are fetched when asked for.</summary>
internal static partial class ResourcePanel
{
    public static void Render(HtmlWriter html, DashboardContext context, PageRequest request, DashboardResource resource)
    {
        html.Add($"""<aside class="panel" aria-label="Resource {resource.Name}">""");
        Parts.PanelHead(html, HtmlWriter.Of(title => title.Add($"""<span class="{context.ColourOf(resource.DisplayName)}"><i class="dot"></i></span>{resource.Name}""")), request.With(("resource", null)));
        html.Add($"""<p class="states">""");
        ResourcesPage.State(html, resource);
        html.Add($"""</p><div class="actions">""");
        ResourcesPage.Commands(html, resource, all: true);
        html.Add($"""<a class="button small" href="/consolelogs/resource/{Uri.EscapeDataString(resource.Name)}">Console</a><a class="button small" href="/structuredlogs?resource={Uri.EscapeDataString(resource.DisplayName)}">Logs</a><a class="button small" href="/traces?resource={Uri.EscapeDataString(resource.DisplayName)}">Traces</a></div>""");
        Parts.Attributes(html, "Resource", Facts(context, resource));
        Endpoints(html, resource);
        Parts.Attributes(html, "Health", resource.HealthReports.Select(report => (report.Name, $"{(report.Healthy switch { true => "Healthy", false => "Unhealthy", _ => "Not checked yet" })}{(report.Description is { } text ? $": {text}" : "")}")));
        Parts.Attributes(html, "Refers to", resource.Relations.Select(relation => (relation.Resource, relation.Type)));
        Environment(html, resource);
        html.Add($"</aside>");
    }

    /// <summary>Marked as secret, or named or shaped like one.</summary>
    public static bool IsSecret(ResourceVariable variable) =>
        variable.IsSecret || SecretName().IsMatch(variable.Name) || (variable.Value is { } value && SecretValue().IsMatch(value));

    private static IEnumerable<(string Key, string Value)> Facts(DashboardContext context, DashboardResource resource)
    {
        yield return ("type", resource.Type);
        if (resource.DisplayName != resource.Name) yield return ("resource", resource.DisplayName);
        if (resource.Source is not null) yield return ("source", resource.Source);
        if (resource.StartedAt is { } started) yield return ("started", $"{context.Local(started):yyyy-MM-dd HH:mm:ss} ({Parts.Ago(context.Now - started)})");
        if (resource.StoppedAt is { } stopped) yield return ("stopped", $"{context.Local(stopped):yyyy-MM-dd HH:mm:ss} ({Parts.Ago(context.Now - stopped)})");
        if (resource.ExitCode is { } code) yield return ("exit code", $"{code}");
        foreach (var (key, value) in resource.Properties) yield return (key, value);
    }

    private static void Endpoints(HtmlWriter html, DashboardResource resource)
    {
        if (resource.Urls.Count == 0) return;
        html.Add($"""<details class="facts" id="facts-urls" open><summary>Endpoints<b class="num">{resource.Urls.Count}</b>{Icons.Chevron}</summary><div class="urls">""");
        ResourcesPage.Urls(html, resource);
        html.Add($"</div></details>");
    }

    private static void Environment(HtmlWriter html, DashboardResource resource)
    {
        if (resource.Environment.Count == 0) return;
        html.Add($"""<details class="facts" id="facts-env"><summary>Environment<b class="num">{resource.Environment.Count}</b>{Icons.Chevron}</summary><dl>""");
        foreach (var variable in resource.Environment.OrderBy(v => v.Name, StringComparer.Ordinal))
        {
            html.Add($"""<div><dt>{variable.Name}</dt>""");
            if (IsSecret(variable)) html.Add($"""<dd class="secret" data-keep id="env-{variable.Name}"><span>••••••••</span><button type="button" class="iconbtn" data-reveal="/resources/{Uri.EscapeDataString(resource.Name)}/environment/{Uri.EscapeDataString(variable.Name)}" title="Show">{Icons.Eye}<span class="sr">Show {variable.Name}</span></button></dd>""");
            else html.Add($"""<dd>{variable.Value ?? ""}</dd>""");
            html.Add($"</div>");
        }
        html.Add($"</dl></details>");
    }

    [GeneratedRegex("key|token|secret|passw|pwd|credential|headers$|connectionstring", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"passw(or)?d\s*=|://[^/\s:@]*:[^/\s@]+@", RegexOptions.IgnoreCase)]
    private static partial Regex SecretValue();
}
