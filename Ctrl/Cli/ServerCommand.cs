using System.CommandLine;
using System.Net.Sockets;
using NanoAspire.Ctrl.Store;

namespace NanoAspire.Ctrl.Cli;

/// <summary>Runs the service in this process until it is told to stop.</summary>
internal static class ServerCommand
{
    public static async Task<int> RunAsync(ParseResult parsed, ServerFlags flags, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var listening = false;
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", _ => listening); // a failed bind is reported below, in one line
        ServerSettings settings;
        try { settings = ServerSettings.From(parsed, flags, builder.Configuration); }
        catch (UsageException e) { return Fail(e.Message, ExitCodes.Usage); }

        using var startupLogs = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole(console => console.SingleLine = true));
        var logger = startupLogs.CreateLogger("NanoAspire.Ctrl");
        ICtrlStore store;
        try { store = await CtrlApp.OpenStoreAsync(settings.Options, TimeProvider.System, logger, ct); }
        catch (Exception e) when (e is StoreUnavailableException or StoreCommandException)
        {
            return Fail($"Redis at {settings.Options.Redis!.Display}: {e.Message}", ExitCodes.Failure);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { return ExitCodes.Failure; }

        await using (store)
        {
            if (settings.Urls is { } urls) builder.WebHost.UseUrls(urls);
            builder.AddCtrl(settings.Options, store, TimeProvider.System);
            await using var app = builder.Build();
            app.MapCtrl();
            logger.UsingStore(store.Description);
            try { await app.StartAsync(ct); }
            catch (Exception e) when (e is IOException or SocketException)
            {
                return Fail(e.Message, ExitCodes.Failure);
            }
            listening = true;
            if (!settings.Options.Tokens.Any && app.Urls.Any(url => !new Uri(url.Replace("://+", "://0.0.0.0", StringComparison.Ordinal).Replace("://*", "://0.0.0.0", StringComparison.Ordinal)).IsLoopback))
                logger.OpenToTheNetwork(string.Join(", ", app.Urls));
            await app.WaitForShutdownAsync(ct);
        }
        return ExitCodes.Ok;
    }

    internal static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"nanoctrl: {message.ReplaceLineEndings(" ")}");
        return code;
    }
}
