using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The frame around every page.</summary>
internal static class Layout
{
    /// <summary>Entries of the navigation: id, address, name, key.</summary>
    private static readonly (string Id, string Href, string Name, string Key, Markup Icon)[] Entries =
    [
        ("resources", "/", "Resources", "R", Icons.Resources),
        ("inference", "/inference", "Inference", "I", Icons.Inference),
        ("traces", "/traces", "Traces", "T", Icons.Traces),
        ("logs", "/structuredlogs", "Logs", "S", Icons.Logs),
        ("console", "/consolelogs", "Console", "C", Icons.Console),
        ("metrics", "/metrics", "Metrics", "M", Icons.Metrics),
    ];

    /// <param name="context">What is shown.</param>
    /// <param name="page">What stands in the middle.</param>
    /// <param name="theme">The user's choice, <c>light</c> or <c>dark</c>; the system's otherwise.</param>
    public static string Whole(DashboardContext context, Page page, string? theme)
    {
        var html = new HtmlWriter();
        Head(html, $"{page.Title} · {context.Options.ApplicationName}", theme);
        html.Add($"""
            <body>
            <a class="skip" href="#main">Skip to content</a>
            <header class="rail">
            <a class="brand" href="/">{Icons.Logo}<span>{context.Options.ApplicationName}</span></a>
            <nav aria-label="Pages">
            """);
        foreach (var (id, href, name, key, icon) in Entries)
        {
            var current = id == page.Navigation ? new Markup(" aria-current=\"page\"") : Markup.Empty;
            html.Add($"""<a href="{href}" data-key="{key}"{current} title="{name} ({key})">{icon}<span>{name}</span></a>""");
        }
        html.Add($"""
            </nav>
            <div class="tools">
            <button type="button" class="iconbtn" id="pause" aria-pressed="false" title="Pause (P)">{Icons.Pause}<span class="sr">Pause</span></button>
            <button type="button" class="iconbtn" id="theme" title="Light, dark or as the system">{Icons.Theme}<span class="sr">Theme</span></button>
            <button type="button" class="iconbtn" id="help" title="Keys (?)">{Icons.Help}<span class="sr">Keys</span></button>
            </div>
            <p class="live" id="live" role="status"><i class="dot"></i><span>Live</span></p>
            </header>
            <main id="main" tabindex="-1" data-topics="{Names(page.Topics)}" data-title="{page.Title}">{page.Body}</main>
            <dialog class="keys-help" id="keys" aria-label="Keys"><h2>Keys</h2><dl>
            <dt><kbd>R</kbd> <kbd>I</kbd> <kbd>T</kbd> <kbd>S</kbd> <kbd>C</kbd> <kbd>M</kbd></dt><dd>Resources, inference, traces, logs, console, metrics</dd>
            <dt><kbd>/</kbd></dt><dd>Search</dd><dt><kbd>F</kbd></dt><dd>Add a filter</dd><dt><kbd>J</kbd> <kbd>K</kbd></dt><dd>Next and previous row</dd>
            <dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>Fold and unfold a span</dd><dt><kbd>P</kbd></dt><dd>Pause and go on</dd><dt><kbd>Esc</kbd></dt><dd>Close the panel</dd>
            </dl><form method="dialog"><button class="button">Close</button></form></dialog>
            <div id="toasts" role="status" aria-live="polite"></div>
            </body>
            </html>
            """);
        return html.ToString();
    }

    /// <summary>For the login: no navigation, no script.</summary>
    public static string Bare(string title, Markup body)
    {
        var html = new HtmlWriter();
        Head(html, title);
        html.Add($"""<body class="bare"><main id="main">{body}</main></body></html>""");
        return html.ToString();
    }

    public static string Names(LiveTopics topics) => topics == LiveTopics.None ? "" : topics.ToString().ToLowerInvariant().Replace(",", "", StringComparison.Ordinal);

    private static void Head(HtmlWriter html, string title, string? theme = null) => html.Add($"""
        <!doctype html>
        <html lang="en"{(theme is "light" or "dark" ? HtmlWriter.Of(w => w.Add($" data-theme=\"{theme}\"")) : Markup.Empty)}>
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{title}</title>
        <link rel="icon" href="{Assets.Href("favicon.svg")}" type="image/svg+xml">
        <link rel="stylesheet" href="{Assets.Href("dashboard.css")}">
        <script src="{Assets.Href("dashboard.js")}" defer></script>
        </head>
        """);
}
