namespace NanoAspire.Dashboard.Telemetry;

/// <summary>A process that sends telemetry.</summary>
internal sealed record TelemetryResource(string Name, string? InstanceId, OtlpAttribute[] Attributes)
{
    private const string Unknown = "unknown_service";

    public static TelemetryResource From(OtlpAttribute[] attributes)
    {
        var name = attributes.Text("service.name");
        return new TelemetryResource(string.IsNullOrEmpty(name) ? Unknown : name, attributes.Text("service.instance.id"), attributes);
    }

    /// <summary>Identity: name and instance.</summary>
    public string Key { get; } = $"{Name}\u001f{InstanceId}";

    /// <summary>Name when it is the only one of that name, else with the beginning of its instance id.</summary>
    public string DisplayName(bool severalOfTheName) =>
        severalOfTheName && InstanceId is { Length: > 0 } id ? $"{Name}-{id[..Math.Min(8, id.Length)]}" : Name;
}
