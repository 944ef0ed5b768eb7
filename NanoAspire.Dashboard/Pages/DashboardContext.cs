using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Pages;

/// <summary>What every page reads from.</summary>
internal sealed class DashboardContext(DashboardOptions options, TelemetryStore store, IDashboardResources resources, TimeProvider time)
{
    public DashboardOptions Options { get; } = options;
    public TelemetryStore Store { get; } = store;
    public IDashboardResources Resources { get; } = resources;
    public Palette Palette { get; } = new();
    public TimeProvider Time { get; } = time;

    public DateTimeOffset Now => Time.GetUtcNow();

    public DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Time.LocalTimeZone);

    /// <summary>Colours are given out in the order of the resource list, so that they do not depend on who spoke first.</summary>
    public string ColourOf(string name)
    {
        foreach (var resource in Resources.Snapshot()) Palette.ClassOf(resource.DisplayName);
        return Palette.ClassOf(name);
    }

    /// <summary>A coloured dot and the resource's name.</summary>
    public Markup Chip(TelemetryResource resource, int? count = null, bool error = false)
    {
        var name = Store.Resources.DisplayName(resource);
        var colour = ColourOf(resource.Name);
        return HtmlWriter.Of(html =>
        {
            html.Add($"""<span class="chip {colour}"><i class="dot"></i>{name}""");
            if (count is { } number) html.Add($"""<b class="num">{number}</b>""");
            if (error) html.Add($"""<span class="err-mark" title="has errors">{Icons.Error}</span>""");
            html.Add($"</span>");
        });
    }

    /// <summary>A time of day, with the date in the tooltip.</summary>
    public Markup TimeOf(DateTimeOffset time, bool milliseconds = true) => HtmlWriter.Of(html =>
    {
        var local = Local(time);
        var text = local.ToString(milliseconds ? "HH:mm:ss.fff" : "HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        html.Add($"""<time datetime="{time.UtcDateTime.ToString("o")}" title="{local.ToString("yyyy-MM-dd HH:mm:ss.fff zzz", System.Globalization.CultureInfo.InvariantCulture)}">{text}</time>""");
    });

    /// <summary>The resource that listens at <c>host:port</c>, for spans whose other end sends no telemetry.</summary>
    public string? ResourceAt(string address)
    {
        foreach (var resource in Resources.Snapshot())
        {
            if (resource.Urls.Any(url => Uri.TryCreate(url.Url, UriKind.Absolute, out var uri) && SameAddress(uri, address))) return resource.DisplayName;
        }
        return null;
    }

    private static bool SameAddress(Uri uri, string address)
    {
        var port = address.LastIndexOf(':');
        if (port < 0 || !int.TryParse(address.AsSpan(port + 1), out var number) || number != uri.Port) return false;
        var host = address[..port];
        return host.Equals(uri.Host, StringComparison.OrdinalIgnoreCase) || (IsLoopback(host) && IsLoopback(uri.Host));
    }

    private static bool IsLoopback(string host) => host is "localhost" or "127.0.0.1" or "[::1]" or "::1";
}
