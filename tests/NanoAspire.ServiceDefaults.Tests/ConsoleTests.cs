using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace NanoAspire.ServiceDefaults.Tests;

public sealed class ConsoleTests
{
    [Theory]
    [InlineData(null, "simple")]
    [InlineData("json", "json")]
    public void A_record_is_one_line_in_the_formatter_asked_for(string? asked, string expected)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration["Logging:Console:FormatterName"] = asked;
        builder.AddServiceDefaults();
        using var host = builder.Build();
        Assert.Equal(expected, host.Services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName);
        Assert.True(host.Services.GetRequiredService<IOptions<SimpleConsoleFormatterOptions>>().Value.SingleLine);
    }
}
