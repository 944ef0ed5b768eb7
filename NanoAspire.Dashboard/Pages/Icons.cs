using NanoAspire.Dashboard.Html;

namespace NanoAspire.Dashboard.Pages;

/// <summary>Line drawings on a 20 × 20 grid, in the colour of the text around them.</summary>
internal static class Icons
{
    public static Markup Resources { get; } = Line("""<rect x="3" y="3" width="6" height="6" rx="1.5"/><rect x="11" y="3" width="6" height="6" rx="1.5"/><rect x="3" y="11" width="6" height="6" rx="1.5"/><rect x="11" y="11" width="6" height="6" rx="1.5"/>""");
    public static Markup Inference { get; } = Line("""<path d="M2.5 11h3l2-6 4 10 2.2-6 1 2h2.8"/>""");
    public static Markup Traces { get; } = Line("""<path d="M3 5h9M6 10h11M9 15h5"/>""");
    public static Markup Logs { get; } = Line("""<path d="M4 5h12M4 8.5h12M4 12h8M4 15.5h5"/>""");
    public static Markup Console { get; } = Line("""<rect x="2.5" y="3.5" width="15" height="13" rx="2"/><path d="m6 8 2.5 2L6 12M10.5 12.5h3.5"/>""");
    public static Markup Metrics { get; } = Line("""<path d="M3 17V3M3 17h14M6.5 13.500 10 9l2.500 2.500L17 6"/>""");
    public static Markup Error { get; } = Line("""<circle cx="10" cy="10" r="7"/><path d="M10 6.500v4M10 13.300v.1"/>""");
    public static Markup Close { get; } = Line("""<path d="m5 5 10 10M15 5 5 15"/>""");
    public static Markup Search { get; } = Line("""<circle cx="9" cy="9" r="5.500"/><path d="m13.200 13.200 3.800 3.800"/>""");
    public static Markup Chevron { get; } = Line("""<path d="m6 8 4 4 4-4"/>""");
    public static Markup Copy { get; } = Line("""<rect x="7" y="7" width="9" height="9" rx="2"/><path d="M13 4.500A1.500 1.500 0 0 0 11.500 3h-7A1.500 1.500 0 0 0 3 4.500v7A1.500 1.500 0 0 0 4.500 13"/>""");
    public static Markup Eye { get; } = Line("""<path d="M2 10s3-5.500 8-5.500S18 10 18 10s-3 5.500-8 5.500S2 10 2 10Z"/><circle cx="10" cy="10" r="2.300"/>""");
    public static Markup External { get; } = Line("""<path d="M11 4h5v5M16 4l-7 7M13 12v3a1.500 1.500 0 0 1-1.500 1.500h-6A1.500 1.500 0 0 1 4 15V9a1.500 1.500 0 0 1 1.500-1.500h3"/>""");
    public static Markup Download { get; } = Line("""<path d="M10 3v9m-3.500-3L10 12.500 13.500 9M4 16.500h12"/>""");

    public static Markup Pause { get; } = Line("""<path d="M7 4.500v11M13 4.500v11"/>""");
    public static Markup Theme { get; } = Line("""<circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 0 0 14Z" fill="currentColor"/>""");
    public static Markup Help { get; } = Line("""<circle cx="10" cy="10" r="7"/><path d="M7.800 8a2.200 2.200 0 1 1 3.200 2c-.700.400-1 .800-1 1.500M10 14v.1"/>""");

    public static Markup Logo { get; } = new(
        """<svg class="logo" viewBox="0 0 28 28" aria-hidden="true"><rect x="3" y="4" width="13" height="5" rx="2.5" class="l1"/><rect x="8" y="11.500" width="17" height="5" rx="2.5" class="l2"/><rect x="12" y="19" width="9" height="5" rx="2.5" class="l3"/></svg>""");

    private static Markup Line(string paths) => new($"""<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">{paths}</svg>""");
}
