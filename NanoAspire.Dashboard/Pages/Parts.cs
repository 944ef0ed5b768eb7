using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Pieces that several pages share.</summary>
internal static class Parts
{
    public static void Heading(HtmlWriter html, string title, string? note = null, Markup? action = null)
    {
        html.Add($"""<div class="heading"><h1>{title}</h1>""");
        if (note is not null) html.Add($"""<p class="note">{note}</p>""");
        html.Add($"{action ?? Markup.Empty}</div>");
    }

    /// <summary>Forgets what was received so far of one signal.</summary>
    public static Markup ClearButton(string signal, string what) => HtmlWriter.Of(html => html.Add($"""
        <form class="command clear" method="post" action="/telemetry/{signal}/clear" data-confirm="Forget all {what} received so far?"><button class="button">Clear</button></form>
        """));

    public static void SearchBox(HtmlWriter html, PageRequest request, string placeholder) => html.Add($"""
        <label class="search">{Icons.Search}<span class="sr">{placeholder}</span>
        <input id="q" type="search" name="q" value="{request["q"]}" placeholder="{placeholder}" autocomplete="off" data-slash></label>
        """);

    public static void Select(HtmlWriter html, string name, string label, IEnumerable<(string Value, string Text)> options, string? selected)
    {
        html.Add($"""<label class="select"><span class="sr">{label}</span><select id="f-{name}" name="{name}">""");
        foreach (var (value, text) in options) html.Add($"""<option value="{value}"{(value == (selected ?? "") ? new Markup(" selected") : Markup.Empty)}>{text}</option>""");
        html.Add($"</select>{Icons.Chevron}</label>");
    }

    /// <summary>Choices of <c>resource</c>: every process that sent telemetry, one entry a name.</summary>
    public static void ResourceSelect(HtmlWriter html, DashboardContext context, string? selected) => Select(
        html, "resource", "Resource",
        [("", "All resources"), .. context.Store.Resources.All().Select(r => r.Name).Distinct().Select(name => (name, name))],
        selected);

    public static void Empty(HtmlWriter html, string title, string hint) => html.Add($"""<div class="empty"><p>{title}</p><p class="note">{hint}</p></div>""");

    public static void PanelHead(HtmlWriter html, Markup title, string closeHref) => html.Add($"""
        <header class="panel-head"><h2>{title}</h2><a class="iconbtn" href="{closeHref}" data-swap data-close title="Close (Esc)">{Icons.Close}<span class="sr">Close</span></a></header>
        """);

    public static void Attributes(HtmlWriter html, string title, IEnumerable<(string Key, string Value)> attributes, bool open = true)
    {
        var rows = attributes.ToList();
        if (rows.Count == 0) return;
        html.Add($"""<details class="facts" id="facts-{Slug(title)}"{(open ? new Markup(" open") : Markup.Empty)}><summary>{title}<b class="num">{rows.Count}</b>{Icons.Chevron}</summary><dl>""");
        foreach (var (key, value) in rows) html.Add($"""<div><dt>{key}</dt><dd>{value}</dd></div>""");
        html.Add($"</dl></details>");
    }

    public static IEnumerable<(string Key, string Value)> Pairs(OtlpAttribute[] attributes) =>
        attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (a.Key, a.Value.ToString()));

    public static string Severity(LogSeverity severity) => severity switch
    {
        LogSeverity.Trace => "trace",
        LogSeverity.Debug => "debug",
        LogSeverity.Information => "info",
        LogSeverity.Warning => "warning",
        LogSeverity.Error => "error",
        LogSeverity.Critical => "critical",
        _ => "",
    };

    public static string Ago(TimeSpan age) => age < TimeSpan.FromSeconds(5) ? "just now" : $"{Durations.Text(TimeSpan.FromSeconds(Math.Floor(age.TotalSeconds)))} ago";

    private static string Slug(string title) => string.Concat(title.ToLowerInvariant().Where(char.IsAsciiLetter));
}
