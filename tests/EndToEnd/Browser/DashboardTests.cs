using Microsoft.Playwright;
using NanoAspire.Dashboard.Tests.Browser;
using NanoAspire.EndToEnd.AppHost;
using NanoAspire.Tests;
using static Microsoft.Playwright.Assertions;

namespace NanoAspire.EndToEnd.Browser;

/// <summary>The dashboard of a real cluster in a real browser: what an operator does to understand a request, a crash, an engine.</summary>
[Trait("needs", "chromium")]
public sealed class DashboardTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>
{
    private const string Question = "What is prefill?";

    /// <summary>Telemetry leaves its process once a second, and the machine may be busy.</summary>
    private static readonly LocatorAssertionsToContainTextOptions Patiently = new() { Timeout = 60_000 };
    private static readonly LocatorAssertionsToBeVisibleOptions PatientlyVisible = new() { Timeout = 60_000 };
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_request_is_followed_from_the_router_to_the_last_token()
    {
        await using var cluster = await TestedCluster.StartAsync(withDashboard: true);
        await using var session = await DashboardSession.OpenAsync(chromium, cluster);
        var page = session.Page;
        await cluster.AskAsync(Question);

        await page.Keyboard.PressAsync("t");
        await page.Locator("#f-resource").SelectOptionAsync("decode");
        await Expect(page.Locator("tbody tr").First).ToContainTextAsync("router", Patiently);
        await page.Locator("tbody td.name a").First.ClickAsync();
        foreach (var span in (string[])["prefill", "tokenize", "queue", "kv.pull", "decode"])
        {
            await Expect(page.Locator(".rows .row", new() { HasText = span }).First).ToBeVisibleAsync(PatientlyVisible);
        }
        await page.Locator(".row", new() { HasText = "kv.pull" }).Locator("a").First.ClickAsync();
        await Expect(page.Locator("aside.panel")).ToContainTextAsync("kv.bytes");
        session.AssertNoErrors();
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task A_killed_engine_shows_and_is_started_again_and_a_replica_is_added_from_the_page()
    {
        await using var cluster = await TestedCluster.StartAsync(withDashboard: true);
        await using var session = await DashboardSession.OpenAsync(chromium, cluster);
        var page = session.Page;
        var prefill = Assert.Single(await cluster.InstancesAsync("prefill", 1));
        var row = page.Locator($"#r-{prefill.ResourceId}");
        await Expect(row).ToContainTextAsync("Running", Patiently);

        TestedCluster.Kill(prefill);
        await Expect(row).ToContainTextAsync("(137)", Patiently);
        await row.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await Expect(row).ToContainTextAsync("Running", Patiently);
        await cluster.InstancesAsync("prefill", 1);

        var decode = Assert.Single(await cluster.InstancesAsync("decode", 1));
        await page.Locator($"#r-{decode.ResourceId} a").First.ClickAsync();
        await page.Locator("aside.panel").GetByRole(AriaRole.Button, new() { Name = "Add a replica" }).ClickAsync();
        var engines = await cluster.InstancesAsync("decode", 2);
        foreach (var engine in engines) await Expect(page.Locator($"#r-{engine.ResourceId}")).ToContainTextAsync("Running", Patiently);
        session.AssertNoErrors();
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task Console_lines_of_a_restarted_engine_stream_in_and_its_log_records_arrive()
    {
        await using var cluster = await TestedCluster.StartAsync(withDashboard: true);
        await using var session = await DashboardSession.OpenAsync(chromium, cluster);
        var page = session.Page;
        var decode = Assert.Single(await cluster.InstancesAsync("decode", 1));
        await page.GotoAsync($"{session.Url}/consolelogs/resource/{decode.ResourceId}");
        await Expect(page.Locator(".ln").First).ToBeVisibleAsync(PatientlyVisible);
        var before = await page.Locator(".ln").CountAsync();
        await cluster.CommandAsync("decode", KnownResourceCommands.RestartCommand);
        await Expect(page.Locator(".ln").Nth(before)).ToBeVisibleAsync(PatientlyVisible);

        await page.GotoAsync($"{session.Url}/structuredlogs?resource=router");
        await Expect(page.Locator("tbody tr").First).ToContainTextAsync("router", Patiently);
        session.AssertNoErrors();
    }

    [Fact(Skip = Needs.ChromiumReason, SkipUnless = nameof(Needs.Chromium), SkipType = typeof(Needs))]
    public async Task The_inference_page_shows_the_engines_at_work_and_every_page_is_pictured()
    {
        await using var cluster = await TestedCluster.StartAsync(withDashboard: true, "--decode", "2");
        await using var session = await DashboardSession.OpenAsync(chromium, cluster);
        var page = session.Page;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var traffic = Task.WhenAll(Enumerable.Range(0, 3).Select(n => Traffic.RunAsync(cluster, n, stop.Token)));
        await page.GotoAsync($"{session.Url}/inference");
        // Live, by itself: the two roles, tokens flowing, a prefix that was found again, the links between the engines with what went over them.
        var main = page.Locator("#main");
        foreach (var text in (string[])["prefill", "decode", "tok/s", "GB/s"]) await Expect(main).ToContainTextAsync(text, Patiently);
        await Expect(page.Locator(".link, .links tbody tr").First).ToBeVisibleAsync(PatientlyVisible);
        await DashboardPictures.TakeAsync(chromium, cluster, Ct);
        await stop.CancelAsync();
        await traffic;
        session.AssertNoErrors();
    }
}
