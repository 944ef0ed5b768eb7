using System.CommandLine;
using System.Net.Sockets;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Text;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Commands;

/// <summary>Entry point of the engine executables: <c>serve</c> and <c>generate</c>. Exit code 0 ok, 1 failure, 2 usage; failures are one line on stderr.</summary>
public static class EngineProgram
{
    /// <param name="args">Command line.</param>
    /// <param name="description">What the executable is, for <c>--help</c>.</param>
    /// <param name="modes">Modes it serves; the first is the default.</param>
    /// <param name="defaultPort">Used when neither <c>--port</c> nor the host's configuration names one.</param>
    public static async Task<int> RunAsync(string[] args, string description, IReadOnlyList<EngineRole> modes, int defaultPort)
    {
        var root = new RootCommand(description) { ServeCommand.Create(modes, defaultPort), GenerateCommand.Create() };
        // @FILE belongs to --prompt-ids: System.CommandLine must not take it for a file of arguments.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            await Console.Error.WriteLineAsync(string.Join("; ", parsed.Errors.Take(3).Select(error => error.Message)));
            return 2;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
        catch (Exception e) when (Explain(e) is { } line)
        {
            await Console.Error.WriteLineAsync(line);
            return 1;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("cancelled");
            return 1;
        }
    }

    private static string? Explain(Exception exception) => exception switch
    {
        ModelLoadException or TokenizerException or ChatTemplateException or EngineRejectedException => exception.Message,
        ArgumentException { ParamName: "options" } => exception.Message.Replace(" (Parameter 'options')", "", StringComparison.Ordinal),   // limits that do not fit the model
        IOException { InnerException: SocketException or Microsoft.AspNetCore.Connections.AddressInUseException } => exception.Message,
        IOException or UnauthorizedAccessException or SocketException => exception.Message,
        _ => null,
    };
}
