using System.Net;
using Microsoft.AspNetCore.Http;
using NanoAspire.Dashboard.Auth;
using NanoAspire.Dashboard.Tests.Demo;

namespace NanoAspire.Dashboard.Tests.Auth;

public sealed class LoginTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/traces?q=x")]
    public async Task A_stranger_is_sent_to_the_login_and_back(string page)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var browser = Browser(dashboard);
        using var sent = await browser.SendAsync(Html(page));
        Assert.Equal($"/login?returnUrl={Uri.EscapeDataString(page)}", sent.Headers.Location!.OriginalString);

        using var signedIn = await browser.GetAsync($"/login?t=t0ken&returnUrl={Uri.EscapeDataString(page)}");
        Assert.Equal(page, signedIn.Headers.Location!.OriginalString);
        var cookie = Assert.Single(signedIn.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=lax", cookie);
        Assert.DoesNotContain("t0ken", cookie);
        using var looked = await browser.SendAsync(Html(page));
        Assert.Equal(HttpStatusCode.OK, looked.StatusCode);
    }

    [Theory]
    [InlineData("/live")]
    [InlineData("/consolelogs/stream")]
    [InlineData("/resources/router/environment/OTEL_EXPORTER_OTLP_HEADERS")]
    [InlineData("/api/telemetry/spans")]
    [InlineData("/consolelogs/download/router")]
    public async Task Nothing_is_told_to_a_stranger(string path)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var browser = Browser(dashboard);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_refused_in_form_and_link()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var browser = Browser(dashboard);
        using var link = await browser.GetAsync("/login?t=t0kem");
        using var form = await browser.PostAsync("/login", new FormUrlEncodedContent([new("t", "guess")]));
        Assert.All([link, form], response => Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode));
        Assert.All([link, form], response => Assert.False(response.Headers.Contains("Set-Cookie")));
        Assert.Contains("not the one of this run", await form.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("https://evil.example/", "/")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("/ok\r\nSet-Cookie: x", "/")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    [InlineData("/traces/detail/1?spanId=2", "/traces/detail/1?spanId=2")]
    public void Return_addresses_stay_on_this_site(string? given, string expected) => Assert.Equal(expected, BrowserSession.LocalOrRoot(given));

    [Fact]
    public void A_session_ends_after_three_days_and_cannot_be_forged()
    {
        var time = new FixedTime(FixedTime.Noon);
        var session = new BrowserSession("token", allowAnonymous: false, time);
        var answer = new DefaultHttpContext();
        session.SignIn(answer);
        var cookie = answer.Response.Headers.SetCookie.ToString().Split(';')[0];

        Assert.True(session.IsSignedIn(With(cookie)));
        Assert.False(new BrowserSession("other", allowAnonymous: false, time).IsSignedIn(With(cookie)));
        Assert.False(session.IsSignedIn(With(cookie.Replace("=1", "=2", StringComparison.Ordinal))));      // a later expiry, the old signature
        Assert.False(session.IsSignedIn(With(cookie[..^1])));
        foreach (var nonsense in (string[])["", ".", "9999999999999999999.x", "-1.x", "1.2.3"]) Assert.False(session.IsSignedIn(With($"{cookie.Split('=')[0]}={nonsense}")));
        time.Advance(TimeSpan.FromDays(3) + TimeSpan.FromSeconds(1));
        Assert.False(session.IsSignedIn(With(cookie)));

        static HttpContext With(string cookie)
        {
            var context = new DefaultHttpContext();
            context.Request.Headers.Cookie = cookie;
            return context;
        }
    }

    [Theory]
    [InlineData("abc", "abc", true)]
    [InlineData("abd", "abc", false)]
    [InlineData("ab", "abc", false)]
    [InlineData("", "abc", false)]
    [InlineData(null, "abc", false)]
    public void Secrets_compare_whole(string? given, string expected, bool equal) => Assert.Equal(equal, Secrets.Equal(given, expected));

    [Fact]
    public void Generated_secrets_differ_and_are_long() => Assert.Equal((32, false), (Secrets.Generate().Length, Secrets.Generate() == Secrets.Generate()));

    [Fact]
    public async Task Token_validation_answers_true_or_false()
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var browser = Browser(dashboard);
        Assert.Equal("true", await (await browser.PostAsync("/api/validatetoken?token=t0ken", null)).Content.ReadAsStringAsync());
        Assert.Equal("false", await (await browser.PostAsync("/api/validatetoken?token=no", null)).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Anonymous_mode_asks_for_nothing()
    {
        await using var dashboard = await DemoDashboard.StartAsync(configure: options => options.AllowAnonymous = true);
        using var browser = Browser(dashboard);
        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync(Html("/"))).StatusCode);
        Assert.Equal(dashboard.Server.Url, dashboard.Server.LoginUrl);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-origin", HttpStatusCode.OK)]
    [InlineData("X-Nothing", "said", HttpStatusCode.OK)]                              // not a browser
    public async Task Another_site_cannot_send_commands(string header, string value, HttpStatusCode expected)
    {
        await using var dashboard = await DemoDashboard.StartAsync();
        using var client = await dashboard.SignInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/resources/router/commands/restart") { Headers = { { header, value }, { "Accept", "application/json" } } };
        using var response = await client.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, dashboard.Resources.Executed.Count);
    }

    private static HttpClient Browser(DemoDashboard dashboard) => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(dashboard.Server.Url) };

    private static HttpRequestMessage Html(string path) => new(HttpMethod.Get, path) { Headers = { { "Accept", "text/html" } } };
}
