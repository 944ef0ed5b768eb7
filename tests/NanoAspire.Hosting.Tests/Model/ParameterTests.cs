namespace NanoAspire.Hosting.Tests.Model;

public sealed class ParameterTests
{
    [Fact]
    public async Task A_value_comes_from_the_configuration_then_from_the_default()
    {
        var builder = DistributedApplication.CreateBuilder(["--Parameters:given=1", "--Parameters:with_hyphen=2"]);
        var ct = TestContext.Current.CancellationToken;
        Assert.Equal("1", await builder.AddParameter("given").Resource.GetValueAsync(ct));
        Assert.Equal("2", await builder.AddParameter("with-hyphen").Resource.GetValueAsync(ct));
        Assert.Equal("3", await builder.AddParameter("defaulted", "3").Resource.GetValueAsync(ct));
        var e = await Assert.ThrowsAsync<MissingParameterValueException>(async () => await builder.AddParameter("nowhere").Resource.GetValueAsync(ct));
        Assert.Contains("Parameters:nowhere", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_never_published_as_default() =>
        Assert.Throws<ArgumentException>(() => DistributedApplication.CreateBuilder().AddParameter("p", "v", publishValueAsDefault: true, secret: true));

    [Fact]
    public void A_generated_value_has_its_length_and_only_allowed_characters()
    {
        var generate = new GenerateParameterDefault { MinLength = 40, Upper = false, Special = false, MinNumeric = 35 };
        var value = generate.GetDefaultValue();
        Assert.Equal(40, value.Length);
        Assert.All(value, c => Assert.True(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));
        Assert.True(value.Count(char.IsAsciiDigit) >= 35);
        Assert.NotEqual(value, generate.GetDefaultValue());
    }

    [Fact]
    public async Task A_generated_password_stays_the_same_within_a_run()
    {
        var redis = DistributedApplication.CreateBuilder().AddRedis("redis").Resource;
        var first = await redis.PasswordParameter!.GetValueAsync(TestContext.Current.CancellationToken);
        Assert.Equal(22, first!.Length);
        Assert.Equal(first, await redis.PasswordParameter.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.All(first, c => Assert.True(char.IsAsciiLetterOrDigit(c)));
    }
}
