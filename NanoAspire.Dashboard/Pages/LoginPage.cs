using NanoAspire.Dashboard.Html;

namespace NanoAspire.Dashboard.Pages;

internal static class LoginPage
{
    public static string Render(DashboardContext context, string returnUrl, bool failed)
    {
        var title = $"Sign in · {context.Options.ApplicationName}";
        return Layout.Bare(title, HtmlWriter.Of(html =>
        {
            html.Add($"""
                <form class="login" method="post" action="/login">
                {Icons.Logo}
                <h1>{context.Options.ApplicationName}</h1>
                <p>Open the link that the application host printed, or enter the token from it.</p>
                <label for="t">Token</label>
                <input id="t" name="t" type="password" autocomplete="current-password" required autofocus>
                <input type="hidden" name="returnUrl" value="{returnUrl}">
                """);
            if (failed) html.Add($"""<p class="bad" role="alert">That token is not the one of this run.</p>""");
            html.Add($"""<button class="primary">Sign in</button></form>""");
        }));
    }
}
