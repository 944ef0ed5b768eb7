using System.Net;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Pages;

public sealed class FilterTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_condition_sent_by_the_form_becomes_part_of_the_address()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        var address = await FinalAddressAsync(client, "/structuredlogs?logLevel=Warning&filters=level:!equals:Error&field=message&condition=contains&value=a%20b:c");
        Assert.Equal("/structuredlogs?logLevel=Warning&filters=level%3A%21equals%3AError%20message%3Acontains%3Aa%2520b%253Ac", address);
        Assert.Equal("/traces?filters=http.route%3Aequals%3A", await FinalAddressAsync(client, "/traces?field=http.route&condition=equals&value="));
        Assert.Equal("/traces?field=x&condition=nonsense", await FinalAddressAsync(client, "/traces?field=x&condition=nonsense"));
    }

    [Theory]
    [InlineData("message:contains:Pulled", "Pulled 512 KiB", "goes to prefill")]
    [InlineData("category:equals:NanoAspire.Router", "goes to prefill", "Pulled 512 KiB")]
    public async Task A_condition_leaves_only_what_matches_until_it_is_switched_off(string filter, string stays, string goes)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        var filtered = await client.GetStringAsync($"/structuredlogs?filters={Uri.EscapeDataString(filter)}", Ct);
        Assert.Contains(stays, filtered, StringComparison.Ordinal);
        Assert.DoesNotContain(goes, filtered, StringComparison.Ordinal);
        var off = await client.GetStringAsync($"/structuredlogs?filters={Uri.EscapeDataString(filter)}:disabled", Ct);
        Assert.Contains(goes, off, StringComparison.Ordinal);
        Assert.Contains("condition off", off, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logs", "/structuredlogs", "No logs yet")]
    [InlineData("traces", "/traces", "No traces yet")]
    [InlineData("metrics", "/metrics", "No metrics yet")]
    public async Task A_signal_is_forgotten_on_demand(string signal, string path, string emptied)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        Assert.DoesNotContain(emptied, await client.GetStringAsync(path, Ct), StringComparison.Ordinal);
        using var response = await client.PostAsync($"/telemetry/{signal}/clear", content: null, Ct);
        Assert.Equal(path, response.RequestMessage!.RequestUri!.PathAndQuery);
        Assert.Contains(emptied, await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        using var unknown = await client.PostAsync("/telemetry/everything/clear", content: null, Ct);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Only_somebody_signed_in_on_the_same_site_may_clear()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var stranger = new HttpClient { BaseAddress = new Uri(dashboard.Server.Url) };
        using var refused = await stranger.PostAsync("/telemetry/logs/clear", content: null, Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var client = await dashboard.SignInAsync();
        client.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");
        using var foreign = await client.PostAsync("/telemetry/logs/clear", content: null, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
    }

    [Theory]
    [InlineData("dark", true)]
    [InlineData("system", false)]
    [InlineData("\"><script>", false)]
    public async Task The_users_theme_is_in_the_page_and_nothing_else_a_cookie_says(string cookie, bool chosen)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/traces");
        request.Headers.Add("Cookie", $"theme={Uri.EscapeDataString(cookie)}");
        using var response = await client.SendAsync(request, Ct);
        var html = await response.Content.ReadAsStringAsync(Ct);
        Assert.Equal(chosen, html.Contains("data-theme=\"dark\"", StringComparison.Ordinal));
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
    }

    private static async Task<string> FinalAddressAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Ct);
        response.EnsureSuccessStatusCode();
        return response.RequestMessage!.RequestUri!.PathAndQuery;
    }
}
