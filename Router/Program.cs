using System.CommandLine;
using System.Net.Sockets;
using NanoAspire.Router;
using NanoAspire.Router.Options;

var parsed = RouterCommand.Create(RunAsync, Environment.GetEnvironmentVariable).Parse(args);
if (parsed.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync(string.Join("; ", parsed.Errors.Select(error => error.Message)));
    return 2;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (ArgumentException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
catch (Exception e) when (e is IOException or SocketException)   // the port is taken, or may not be used
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

static async Task<int> RunAsync(RouterOptions options, CancellationToken ct)
{
    var listening = false;
    // A port that is taken is one line on stderr, not a stack trace as well.
    await using var app = RouterApp.Build(options, builder => builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => listening && level >= LogLevel.Information));
    app.Lifetime.ApplicationStarted.Register(() => listening = true);
    await app.RunAsync(ct);
    return 0;
}
