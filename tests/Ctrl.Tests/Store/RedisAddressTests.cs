using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Tests.Store;

public sealed class RedisAddressTests
{
    [Theory]
    [InlineData("redis://127.0.0.1:7000", "127.0.0.1", 7000, null, null, false, "redis://127.0.0.1:7000")]
    [InlineData("redis://redis", "redis", 6379, null, null, false, "redis://redis")]
    [InlineData("rediss://:p%40ss@h:1/2", "h", 1, "p@ss", 2, true, "rediss://:p%40ss@h:1/2")]
    [InlineData("redis://default:p@h", "h", 6379, "p", null, false, "redis://default:p@h")]
    [InlineData("127.0.0.1:7000,password=p@ss", "127.0.0.1", 7000, "p@ss", null, false, "redis://:p%40ss@127.0.0.1:7000")]
    [InlineData("h,ssl=true,defaultDatabase=3", "h", 6379, null, 3, true, "rediss://h:6379/3")]
    public void Both_forms_of_connection_text_are_read(string text, string host, int port, string? password, int? database, bool tls, string url)
    {
        var address = RedisAddress.Parse(text);
        Assert.Equal((host, port, password, database, tls, url), (address.Host, address.Port, address.Password, address.Database, address.Tls, address.Url));
        Assert.DoesNotContain("ss@", address.Display);
    }

    [Theory]
    [InlineData("http://h")]
    [InlineData("redis://")]
    [InlineData("redis://h/x")]
    [InlineData("redis://acl-user:secret@h")]
    [InlineData("a:1,b:2")]
    public void What_cannot_be_one_redis_is_refused_without_repeating_a_password(string text) =>
        Assert.DoesNotContain("secret", Assert.Throws<FormatException>(() => RedisAddress.Parse(text)).Message);
}
