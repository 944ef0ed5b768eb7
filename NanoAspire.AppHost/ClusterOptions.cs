using System.Globalization;
using NanoAspire.AppHost.Deployment;

namespace NanoAspire.AppHost;

/// <summary>The options of this program. What the host itself understands (<c>--publisher</c>, <c>--Section:Key=value</c>, …) passes through.</summary>
internal sealed record ClusterOptions
{
    public const int Failure = 1;
    public const int UsageError = 2;

    private const int MaxEngines = 64;
    private const string Usage = $"options: --model DIR, --prefill N, --decode N, --encoder N, --scope S; with --publisher manifest|docker-compose|kubernetes --output-path PATH also {PlacementOptions.Usage}";

    private static readonly HashSet<string> HostOptions =
    [
        "operation", "publisher", "output-path", "step", "log-level", "include-exception-details", "clear-cache", "environment", "contentRoot", "applicationName",
        "dcp-cli-path", "dcp-container-runtime", "dcp-dependency-check-timeout", "dcp-dashboard-path",
    ];

    /// <summary>A Hugging Face folder; null is the demo model of the repository.</summary>
    public string? Model { get; private init; }

    /// <summary>Engines that only compute prompts. With none, the decode engines do both phases.</summary>
    public int Prefill { get; private init; } = 1;
    public int Decode { get; private init; } = 1;

    /// <summary>Keeps several clusters on one control plane apart.</summary>
    public string? Scope { get; private init; }

    /// <summary>Where the engines run when they are published.</summary>
    public PlacementOptions Placement { get; private init; } = new();

    /// <summary>Null after one line on standard error, when an option is unknown or out of range.</summary>
    public static ClusterOptions? Parse(string[] args)
    {
        var options = new ClusterOptions();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) return Wrong($"unexpected argument '{args[i]}'; {Usage}");
            var split = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = split < 0 ? args[i][2..] : args[i][2..split];
            if (split < 0 && (i + 1 == args.Length || args[i + 1].StartsWith("--", StringComparison.Ordinal))) return Wrong($"--{name} needs a value");
            var value = split < 0 ? args[++i] : args[i][(split + 1)..];
            switch (name)
            {
                case "model":
                    options = options with { Model = value };
                    break;
                case "scope":
                    options = options with { Scope = value };
                    break;
                case "prefill" when Count(value, least: 0) is { } count:
                    options = options with { Prefill = count };
                    break;
                case "decode" when Count(value, least: 1) is { } count:
                    options = options with { Decode = count };
                    break;
                case "encoder" when Count(value, least: 0) is 0:
                    break;
                case "encoder":
                    return Wrong($"--encoder {value}: this version has no vision encoder, only 0 is possible");
                case "prefill" or "decode":
                    return Wrong($"--{name} takes a number from {(name == "decode" ? 1 : 0)} to {MaxEngines}, not '{value}'");
                default:
                    try
                    {
                        if (options.Placement.With(name, value) is { } placement) options = options with { Placement = placement };
                        else if (!HostOptions.Contains(name) && !name.Contains(':', StringComparison.Ordinal)) return Wrong($"unknown option '--{name}'; {Usage}");
                    }
                    catch (FormatException e)
                    {
                        return Wrong(e.Message);
                    }
                    break;
            }
        }
        try
        {
            options.Placement.Check();
        }
        catch (FormatException e)
        {
            return Wrong(e.Message);
        }
        return options;
    }

    private static int? Count(string text, int least) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= least && count <= MaxEngines ? count : null;

    private static ClusterOptions? Wrong(string message)
    {
        Console.Error.WriteLine(message);
        return null;
    }
}
