using Microsoft.Playwright;
using NanoAspire.Dashboard.Tests.Browser;
using NanoAspire.EndToEnd.AppHost;

namespace NanoAspire.EndToEnd.Browser;

/// <summary>A signed-in browser window. Remembers what went wrong in the page's own script.</summary>
internal sealed class DashboardSession : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _errors = [];

    private DashboardSession(IBrowserContext context, IPage page, string url)
    {
        (_context, Page, Url) = (context, page, url);
        page.PageError += (_, error) => Add(error);
        page.Console += (_, message) => { if (message.Type == "error") Add(message.Text); };
    }

    public IPage Page { get; }
    public string Url { get; }

    public static async Task<DashboardSession> OpenAsync(ChromiumFixture chromium, TestedCluster cluster, string scheme = "light", int width = 1360, int height = 800)
    {
        var context = await chromium.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        var page = await context.NewPageAsync();
        var session = new DashboardSession(context, page, new Uri(cluster.DashboardLogin).GetLeftPart(UriPartial.Authority));
        await page.GotoAsync(cluster.DashboardLogin);
        return session;
    }

    public void AssertNoErrors()
    {
        lock (_errors) Assert.Empty(_errors);
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    private void Add(string error)
    {
        lock (_errors) _errors.Add(error);
    }
}
