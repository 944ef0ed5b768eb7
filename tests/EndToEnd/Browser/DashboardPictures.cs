using Microsoft.Playwright;
using NanoAspire.Dashboard.Tests.Browser;
using NanoAspire.EndToEnd.AppHost;
using NanoAspire.Tests;
using static Microsoft.Playwright.Assertions;

namespace NanoAspire.EndToEnd.Browser;

/// <summary>
/// Opens every page of a busy cluster's dashboard in light, dark and at a phone's width, and checks that nothing sticks out sideways.
/// With <c>NANOASPIRE_SCREENSHOTS=1</c> the pictures of the documentation are written to <c>docs/images</c>.
/// </summary>
internal static class DashboardPictures
{
    private static readonly bool Keep = Environment.GetEnvironmentVariable("NANOASPIRE_SCREENSHOTS") is "1";

    private static readonly (string Name, string Path, string Ready, string Scheme, int Width, int Height)[] All =
    [
        ("resources", "/", "tbody tr", "light", 1360, 720),
        ("graph", "/?view=graph", "svg", "light", 1360, 720),
        ("traces", "/traces", "tbody tr", "light", 1360, 800),
        ("trace", "", ".rows .row", "light", 1360, 800),
        ("trace-dark", "", ".rows .row", "dark", 1360, 800),
        ("trace-dark-phone", "", ".rows .row", "dark", 390, 844),
        ("logs", "/structuredlogs", "tbody tr", "light", 1360, 800),
        ("metrics", "/metrics?resource=decode", ".chart", "light", 1360, 800),
        ("console", "/consolelogs", ".ln", "light", 1360, 600),
        ("inference", "/inference?duration=1m", ".chart, .engine, table", "light", 1360, 900),
        ("inference-dark", "/inference?duration=1m", ".chart, .engine, table", "dark", 1360, 900),
        ("inference-phone", "/inference?duration=1m", ".chart, .engine, table", "light", 390, 844),
    ];

    public static async Task TakeAsync(ChromiumFixture chromium, TestedCluster cluster, CancellationToken ct)
    {
        string? trace = null;
        foreach (var (name, path, ready, scheme, width, height) in All)
        {
            ct.ThrowIfCancellationRequested();
            await using var session = await DashboardSession.OpenAsync(chromium, cluster, scheme, width, height);
            var page = session.Page;
            if (path.Length == 0) trace ??= await FindTraceAsync(page, session.Url);
            await page.GotoAsync(session.Url + (path.Length == 0 ? trace : path));
            await Expect(page.Locator(ready).First).ToBeVisibleAsync(new() { Timeout = 60_000 });
            if (name == "trace")
            {
                await page.Locator(".row", new() { HasText = "kv.pull" }).Locator("a").First.ClickAsync();
                await page.Locator("aside.panel").WaitForAsync();
            }
            var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(overflow <= 0, $"{name} is {overflow} px wider than its window");
            session.AssertNoErrors();
            if (Keep) await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(RepositoryPaths.Root, "docs", "images", $"dashboard-{name}.png") });
        }
    }

    /// <summary>A whole trace: one whose decode span has arrived, which is its last.</summary>
    private static async Task<string> FindTraceAsync(IPage page, string url)
    {
        for (var attempt = 0; attempt < 60; attempt++)
        {
            await page.GotoAsync($"{url}/traces?resource=decode&q=chat");
            foreach (var link in await page.Locator("tbody td.name a").AllAsync())
            {
                var href = await link.GetAttributeAsync("href");
                await page.GotoAsync(url + href);
                if (await page.Locator(".row", new() { HasText = "kv.pull" }).CountAsync() > 0 && await page.Locator(".row", new() { HasText = "queue" }).CountAsync() > 1) return href!;
                break;
            }
            await Task.Delay(500);
        }
        throw new Xunit.Sdk.XunitException("no whole trace has arrived");
    }
}
