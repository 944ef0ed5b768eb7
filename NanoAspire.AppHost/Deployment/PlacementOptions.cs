using System.Globalization;

namespace NanoAspire.AppHost.Deployment;

/// <summary>What the command line says about where published engines run. A run on this machine ignores it.</summary>
internal sealed record PlacementOptions
{
    private const int MaxDevices = 64;

    public const string Usage = "--gpus N, --rdma RESOURCE[=N], --model-volume PATH|pvc:NAME, --shm SIZE, --cpu N, --memory SIZE, --node-selector KEY=VALUE, --toleration KEY[=VALUE], --host-network true, --autoscale MAX=PROMETHEUS-URL";

    /// <summary>GPUs for each engine.</summary>
    public int Gpus { get; private init; }
    public (string Resource, int Count)? Rdma { get; private init; }
    public string? ModelVolume { get; private init; }
    public string? SharedMemory { get; private init; }
    public string? Cpu { get; private init; }
    public string? Memory { get; private init; }
    public bool HostNetwork { get; private init; }
    public (int Max, string Prometheus)? Autoscale { get; private init; }
    public IReadOnlyList<(string Key, string Value)> NodeSelectors { get; private init; } = [];
    public IReadOnlyList<(string Key, string? Value)> Tolerations { get; private init; } = [];

    /// <summary>Null when the option is none of these.</summary>
    /// <exception cref="FormatException">The value cannot be used; the message says why.</exception>
    public PlacementOptions? With(string name, string value)
    {
        var (key, rest) = value.Split('=', 2) is [var left, var right] ? (left, right) : (value, null);
        return name switch
        {
            "gpus" => this with { Gpus = Count(name, value) },
            "rdma" when key.Length > 0 => this with { Rdma = (key, rest is null ? 1 : Count(name, rest)) },
            "model-volume" when value.StartsWith('/') || value.StartsWith("pvc:", StringComparison.Ordinal) => this with { ModelVolume = value },
            "shm" => this with { SharedMemory = Quantity(name, value) },
            "cpu" => this with { Cpu = Quantity(name, value) },
            "memory" => this with { Memory = Quantity(name, value) },
            "host-network" when bool.TryParse(value, out var on) => this with { HostNetwork = on },
            "node-selector" when key.Length > 0 && rest is not null => this with { NodeSelectors = [.. NodeSelectors, (key, rest)] },
            "toleration" when key.Length > 0 => this with { Tolerations = [.. Tolerations, (key, rest)] },
            "autoscale" when rest is not null && Uri.TryCreate(rest, UriKind.Absolute, out _) => this with { Autoscale = (Count(name, key), rest) },
            "rdma" => throw new FormatException("--rdma takes RESOURCE or RESOURCE=COUNT, such as hca_shared_devices_a=1"),
            "model-volume" => throw new FormatException("--model-volume takes an absolute folder of the node or pvc:NAME"),
            "host-network" => throw new FormatException("--host-network takes true or false"),
            "node-selector" => throw new FormatException("--node-selector takes KEY=VALUE"),
            "toleration" => throw new FormatException("--toleration takes KEY or KEY=VALUE"),
            "autoscale" => throw new FormatException("--autoscale takes MAX=PROMETHEUS-URL"),
            _ => null,
        };
    }

    /// <exception cref="FormatException">The options contradict each other.</exception>
    public void Check()
    {
        if (Cpu is null != Memory is null) throw new FormatException("--cpu and --memory go together: what is kept for an engine");
    }

    private static int Count(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= MaxDevices
            ? count
            : throw new FormatException($"--{name} takes a number from 1 to {MaxDevices}, not '{text}'");

    private static string Quantity(string name, string text)
    {
        try { return PlacementExtensions.Quantity(text); }
        catch (ArgumentException) { throw new FormatException($"--{name} takes a quantity such as 8 or 16Gi, not '{text}'"); }
    }
}
