using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace NanoAspire.Dashboard.Auth;

/// <summary>
/// The login of a browser: a cookie that holds its own expiry, signed with a key made from the token. Nothing is stored, and with a
/// configured token a login outlives a restart.
/// </summary>
internal sealed class BrowserSession(string token, bool allowAnonymous, TimeProvider time)
{
    private static readonly TimeSpan Validity = TimeSpan.FromDays(3);
    private readonly byte[] _key = SHA256.HashData(Encoding.UTF8.GetBytes($"nanoaspire dashboard session\n{token}"));

    public bool IsToken(string? given) => Secrets.Equal(given, token);

    public bool IsSignedIn(HttpContext context) => allowAnonymous || IsValid(context.Request.Cookies[CookieName(context)]);

    public void SignIn(HttpContext context)
    {
        var expires = time.GetUtcNow() + Validity;
        context.Response.Cookies.Append(CookieName(context), Value(expires), new CookieOptions
        {
            HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, MaxAge = Validity, Path = "/",
        });
    }

    public static void SignOut(HttpContext context) => context.Response.Cookies.Delete(CookieName(context));

    /// <summary>Only a path of this site: anything else would make the login page send people elsewhere.</summary>
    public static string LocalOrRoot(string? returnUrl) =>
        returnUrl is ['/', ..] && returnUrl is not ['/', '/' or '\\', ..] && !returnUrl.Any(char.IsControl) ? returnUrl : "/";

    /// <summary>Cookies do not know ports, and two dashboards may run on one machine.</summary>
    private static string CookieName(HttpContext context) => $".nanoaspire.dashboard.{context.Request.Host.Port ?? 0}";

    private bool IsValid(string? cookie)
    {
        if (cookie?.Split('.') is not [var expiry, _]) return false;
        if (!long.TryParse(expiry, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return false;
        var expires = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return Secrets.Equal(cookie, Value(expires)) && expires > time.GetUtcNow();
    }

    private string Value(DateTimeOffset expires)
    {
        var expiry = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{expiry}.{Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(expiry)))}";
    }
}
