using Microsoft.Playwright;
using NanoAspire.Dashboard.Resources;
using NanoAspire.Dashboard.Tests.Demo;
using NanoAspire.Tests;
using static Microsoft.Playwright.Assertions;

namespace NanoAspire.Dashboard.Tests.Browser;

/// <summary>What only a browser can show: keys, live updates, panels without a page load.</summary>
[Trait("needs", "chromium")]
public sealed class BrowserTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>
{
    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_trace_is_found_opened_and_read()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context);

        await page.Keyboard.PressAsync("t");
        await Expect(page).ToHaveURLAsync($"{dashboard.Server.Url}/traces");
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync(dashboard.Telemetry.FeaturedTrace[..12]);
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await page.Locator("tbody tr td.name a").ClickAsync();
        await Expect(page.Locator(".rows > .row")).ToHaveCountAsync(13);

        await page.Locator(".row", new() { HasText = "kv.pull" }).Locator("a").ClickAsync();
        await Expect(page.Locator("aside.panel")).ToContainTextAsync("524288");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("aside.panel")).ToHaveCountAsync(0);

        await page.Locator(".row").Nth(2).Locator("[data-twist]").ClickAsync();
        await Expect(page.Locator(".rows > .row:visible")).ToHaveCountAsync(8);        // prefill's five spans are folded away
        await page.GoBackAsync();
        await Expect(page.Locator("aside.panel")).ToContainTextAsync("kv.pull");
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_new_trace_appears_by_itself_and_focus_stays()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/traces");
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");
        var rows = await page.Locator("tbody tr").CountAsync();
        var first = page.Locator("tbody td.name a").First;
        await first.FocusAsync();
        var focused = await first.GetAttributeAsync("href");

        dashboard.Telemetry.Chat(FixedTime.Noon, tokens: 10, dashboard.Telemetry.Decodes[1], fails: false);

        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(rows + 1);
        Assert.Equal(focused, await page.EvaluateAsync<string>("document.activeElement.getAttribute('href')"));
        Assert.NotEqual(focused, await page.Locator("tbody td.name a").First.GetAttributeAsync("href"));
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_crash_shows_at_once_and_a_restart_can_be_asked_for()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context);
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");
        var engine = dashboard.Resources.Snapshot().Single(resource => resource.Name == "prefill");
        dashboard.Resources.Set(engine with { State = "Exited", Tone = ResourceTone.Bad, ExitCode = 139, Commands = [new("start", "Start", Highlighted: true)] });

        var row = page.Locator("#r-prefill");
        await Expect(row).ToContainTextAsync("Exited (139)");
        await row.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(page.Locator(".toast")).ToHaveTextAsync("prefill: start done");
        Assert.Contains(("prefill", "start"), dashboard.Resources.Executed);
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task Console_lines_stream_in()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/consolelogs/resource/router");
        await Expect(page.Locator(".ln")).ToHaveCountAsync(1);
        dashboard.Resources.Write("router", "<b>not bold</b>", number: 2);
        await Expect(page.Locator(".ln").Last).ToContainTextAsync("<b>not bold</b>");
        Assert.Equal(0, await page.Locator(".console b").CountAsync());
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_secret_is_revealed_where_it_stands()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/?resource=router");
        await page.Locator("#facts-env summary").ClickAsync();
        await page.Locator("[id='env-ConnectionStrings__redis'] button").ClickAsync();
        await Expect(page.Locator("[id='env-ConnectionStrings__redis']")).ToHaveTextAsync("localhost:41379,password=hunter2");
        dashboard.Resources.Set(dashboard.Resources.Snapshot()[0] with { State = "Stopping", Tone = ResourceTone.Busy });
        await Expect(page.Locator("#r-redis")).ToContainTextAsync("Stopping");         // a refresh leaves the open panel as it is
        await Expect(page.Locator("[id='env-ConnectionStrings__redis']")).ToHaveTextAsync("localhost:41379,password=hunter2");
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_chart_names_the_values_under_the_pointer()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/metrics?resource=prefill&instrument=tokens_total");
        await page.Locator(".plot").First.HoverAsync();
        await Expect(page.Locator(".tip")).ToContainTextAsync("kind=prompt");
        await Expect(page.Locator(".tip")).ToContainTextAsync("/s");
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_filter_is_added_switched_off_and_removed_without_a_page_load()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/structuredlogs");
        var all = await page.Locator("tbody tr").CountAsync();
        await page.EvaluateAsync("window.sameDocument = true");
        await page.Keyboard.PressAsync("f");
        await page.Keyboard.TypeAsync("message");
        await page.Locator("#f-condition").SelectOptionAsync("contains");
        await page.Locator("#filter-value").FillAsync("Parked");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".condition")).ToContainTextAsync("message contains Parked");
        await Expect(page.Locator("tbody tr:not(:has-text('Parked'))")).ToHaveCountAsync(0);
        Assert.True(await page.Locator("tbody tr").CountAsync() > 0);

        await page.Locator(".condition a").First.ClickAsync();
        await Expect(page.Locator(".condition.off")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(all);
        await page.Locator(".condition .iconbtn").ClickAsync();
        await Expect(page.Locator(".condition")).ToHaveCountAsync(0);
        Assert.True(await page.EvaluateAsync<bool>("window.sameDocument"));
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_paused_page_stays_as_it_is_and_catches_up_when_it_goes_on()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/traces");
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");
        var rows = await page.Locator("tbody tr").CountAsync();
        await page.Keyboard.PressAsync("p");
        await Expect(page.Locator("#live")).ToHaveTextAsync("Paused");
        await page.EvaluateAsync("new Promise(open => { const more = new EventSource('/live'); more.onopen = open; window.heard = new Promise(changed => more.addEventListener('changed', () => changed(1))); }).then(() => 1)");
        dashboard.Telemetry.Chat(FixedTime.Noon, tokens: 10, dashboard.Telemetry.Decodes[1], fails: false);
        await page.EvaluateAsync("window.heard").WaitAsync(TimeSpan.FromSeconds(30));   // not by polling: the page's policy allows no eval
        Assert.Equal(rows, await page.Locator("tbody tr").CountAsync());
        await page.Keyboard.PressAsync("p");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(rows + 1);
        await Expect(page.Locator("#live")).ToHaveTextAsync("Live");
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task The_theme_is_chosen_by_the_user_and_remembered()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync(new() { ColorScheme = ColorScheme.Light });
        var page = await SignInAsync(dashboard, context);
        Task<string> BackgroundAsync() => page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        var light = await BackgroundAsync();
        await page.Locator("#theme").ClickAsync();                   // light, whatever the system says
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.Equal(light, await BackgroundAsync());
        await page.Locator("#theme").ClickAsync();
        Assert.NotEqual(light, await BackgroundAsync());
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await page.ReloadAsync();
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        Assert.NotEqual(light, await BackgroundAsync());
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task Received_logs_are_cleared_after_a_question_and_the_keys_are_explained()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await SignInAsync(dashboard, context, "/structuredlogs");
        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("#keys")).ToBeHiddenAsync();
        page.Dialog += (_, dialog) => dialog.AcceptAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear" }).ClickAsync();
        await Expect(page.Locator("#main")).ToContainTextAsync("No logs yet");
    }

    private static async Task<IPage> SignInAsync(DemoDashboard dashboard, IBrowserContext context, string path = "/")
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{dashboard.Server.LoginUrl}&returnUrl={Uri.EscapeDataString(path)}");
        return page;
    }
}
