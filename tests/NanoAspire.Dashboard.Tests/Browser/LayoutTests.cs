using Microsoft.Playwright;
using NanoAspire.Dashboard.Tests.Demo;
using NanoAspire.Tests;

namespace NanoAspire.Dashboard.Tests.Browser;

/// <summary>Draws every page with realistic data in light, dark and at a phone's width and checks that nothing sticks out sideways.</summary>
[Trait("needs", "chromium")]
public sealed class LayoutTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>
{
    [Theory(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    [InlineData("trace", "light", 1360, 800)]
    [InlineData("trace", "dark", 1360, 800)]
    [InlineData("trace", "dark", 390, 844)]
    [InlineData("inference", "light", 1360, 900)]
    [InlineData("inference", "dark", 1360, 900)]
    [InlineData("inference", "light", 390, 844)]
    [InlineData("resources", "light", 1360, 720)]
    [InlineData("resources", "dark", 1360, 720)]
    [InlineData("resources", "light", 390, 844)]
    [InlineData("graph", "light", 1360, 720)]
    [InlineData("traces", "light", 1360, 800)]
    [InlineData("traces", "light", 390, 844)]
    [InlineData("logs", "light", 1360, 800)]
    [InlineData("logs", "dark", 390, 844)]
    [InlineData("metrics", "light", 1360, 800)]
    [InlineData("metrics", "dark", 390, 844)]
    [InlineData("console", "light", 1360, 600)]
    [InlineData("login", "light", 1360, 640)]
    public async Task Page_fits_its_window(string name, string scheme, int width, int height)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce,
        });
        var page = await context.NewPageAsync();
        var failures = new List<string>();
        page.PageError += (_, error) => failures.Add(error);
        page.Console += (_, message) => { if (message.Type == "error") failures.Add(message.Text); };
        if (name != "login") await page.GotoAsync(dashboard.Server.LoginUrl);
        var trace = dashboard.Telemetry.FeaturedTrace;
        await page.GotoAsync(dashboard.Server.Url + name switch
        {
            "trace" => $"/traces/detail/{trace}",
            "inference" => "/inference",
            "graph" => "/?view=graph",
            "traces" => "/traces",
            "logs" => "/structuredlogs",
            "metrics" => "/metrics?resource=prefill",
            "console" => "/consolelogs",
            "login" => "/login",
            _ => "/",
        });
        if (name == "trace" && width > 1000) await page.Locator(".row", new() { HasText = "kv.pull" }).Locator("a").ClickAsync();
        if (name == "trace" && width > 1000) await page.Locator("aside.panel").WaitForAsync();
        if (name == "console") await page.Locator(".ln").Nth(6).WaitForAsync();

        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow <= 0, $"{name} is {overflow} px wider than its window");
        Assert.Empty(failures);
    }
}
