using System.Text;
using Microsoft.Extensions.Configuration;
using NanoAspire.Hosting.Model;

namespace NanoAspire.Hosting.Run;

/// <summary>Asks the person at the terminal for parameters that nothing else gives a value to.</summary>
/// <param name="output">Where the questions go.</param>
/// <param name="read">Reads a line; true for a secret, which is not shown. Null at the end of the input.</param>
internal sealed class ParameterPrompt(TextWriter output, Func<bool, string?> read)
{
    private const int MaxAttempts = 3;

    /// <summary>Null where nobody can be asked.</summary>
    public static ParameterPrompt? ForTerminal(IConfiguration configuration) =>
        Console.IsInputRedirected || Console.IsOutputRedirected || string.Equals(configuration["DcpPublisher:RandomizePorts"], "true", StringComparison.OrdinalIgnoreCase)
            ? null
            : new ParameterPrompt(Console.Out, ReadLine);

    /// <summary>Answers go into the configuration, where parameters look, and into the user secrets when wanted. An empty answer leaves the parameter without a value.</summary>
    public async Task AskAsync(IEnumerable<IResource> resources, IConfiguration configuration, UserSecrets? secrets, CancellationToken ct)
    {
        foreach (var parameter in resources.OfType<ParameterResource>())
        {
            if (!parameter.MayBeAsked || parameter.ConfigurationKey is not { } key || configuration[key] is not null || configuration[key.Replace('-', '_')] is not null) continue;
            if (await AskAsync(parameter, ct).ConfigureAwait(false) is not { Length: > 0 } value) continue;
            configuration[key] = value;
            if (secrets is null) continue;
            await output.WriteAsync("Remember it in the user secrets of this project? [y/N] ").ConfigureAwait(false);
            if (await LineAsync(secret: false, ct).ConfigureAwait(false) is "y" or "Y" or "yes") secrets.TrySet(key, value);
        }
    }

    private async Task<string?> AskAsync(ParameterResource parameter, CancellationToken ct)
    {
        if (parameter.Description is { Length: > 0 } description) await output.WriteLineAsync(description).ConfigureAwait(false);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            await output.WriteAsync($"Value of parameter '{parameter.Name}': ").ConfigureAwait(false);
            if (await LineAsync(parameter.Secret, ct).ConfigureAwait(false) is not { } line) return null;
            if (line.Trim() is { Length: > 0 } value) return value;
        }
        return null;
    }

    /// <summary>Reading cannot be cancelled; whoever is interrupted does not wait for it.</summary>
    private Task<string?> LineAsync(bool secret, CancellationToken ct) => Task.Run(() => read(secret), ct).WaitAsync(ct);

    private static string? ReadLine(bool secret)
    {
        if (!secret) return Console.ReadLine();
        var text = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace) text.Length = Math.Max(0, text.Length - 1);
            else if (!char.IsControl(key.KeyChar)) text.Append(key.KeyChar);
        }
        Console.WriteLine();
        return text.ToString();
    }
}
