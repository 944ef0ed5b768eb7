using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Run;

/// <summary>Prints every resource's lines behind its name: in a colour of its own on a terminal, plain where output is redirected.</summary>
internal sealed partial class ConsolePrinter(ResourceLoggerService logs, DistributedApplicationModel model) : IHostedService
{
    private static readonly int[] Colours = [36, 35, 33, 34, 32, 96, 95, 93, 94, 92];
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _prefixes = new(StringComparer.OrdinalIgnoreCase);
    private readonly bool _coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        logs.LineWritten += Print;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        logs.LineWritten -= Print;
        return Task.CompletedTask;
    }

    private void Print(string nameOrId, LogLine line)
    {
        lock (_lock)
        {
            if (!_prefixes.TryGetValue(nameOrId, out var prefix)) _prefixes[nameOrId] = prefix = Prefix(nameOrId);
            Console.Out.WriteLine(prefix + (_coloured ? line.Content : Colour().Replace(line.Content, "")));
        }
    }

    private string Prefix(string nameOrId)
    {
        var width = model.Resources.Select(r => Label(r, index: r.GetReplicaCount() > 1 ? 0 : null).Length).DefaultIfEmpty(0).Max();
        for (var i = 0; i < model.Resources.Count; i++)
        {
            var resource = model.Resources[i];
            if (string.Equals(resource.Name, nameOrId, StringComparison.OrdinalIgnoreCase)) return Paint(resource.Name, i, width);
            var instance = resource.Annotations.OfType<InstancesAnnotation>().SelectMany(a => a.Instances).FirstOrDefault(x => x.Id == nameOrId);
            if (instance is not null) return Paint(Label(resource, resource.GetReplicaCount() > 1 ? instance.Index : null), i, width);
        }
        return Paint(nameOrId, 0, width);
    }

    private string Paint(string label, int colour, int width) => _coloured
        ? $"\e[{Colours[colour % Colours.Length]}m{label.PadRight(width)} |\e[0m "
        : $"{label.PadRight(width)} | ";

    [GeneratedRegex(@"\e\[[0-9;]*m")] private static partial Regex Colour();

    private static string Label(IResource resource, int? index) => index is { } n ? $"{resource.Name}/{n}" : resource.Name;
}
