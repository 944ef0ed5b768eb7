using NanoAspire.Dashboard.Html;
using NanoAspire.Dashboard.Live;

namespace NanoAspire.Dashboard.Pages;

/// <summary>A rendered page: what stands in <c>main</c>, and what it wants to be refreshed for.</summary>
/// <param name="Title">Of the browser's tab.</param>
/// <param name="Navigation">Which entry of the navigation is current.</param>
/// <param name="Topics">Changes that make the page read itself again.</param>
/// <param name="Body">The content of <c>main</c>.</param>
/// <param name="StatusCode">Of the response.</param>
internal sealed record Page(string Title, string Navigation, LiveTopics Topics, Markup Body, int StatusCode = 200);
