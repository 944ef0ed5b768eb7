namespace NanoAspire.Dashboard.Telemetry;

/// <summary>One object a sending process; the one silent longest is forgotten first. Thread-safe.</summary>
internal sealed class ResourceRegistry(int maxResources)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (TelemetryResource Resource, long LastSeen)> _resources = new(StringComparer.Ordinal);
    private long _clock;

    /// <summary>Raised, outside of the lock, with a resource that was forgotten.</summary>
    public event Action<TelemetryResource>? Forgotten;

    public TelemetryResource Intern(OtlpAttribute[] attributes)
    {
        var resource = TelemetryResource.From(attributes);
        TelemetryResource? forgotten = null;
        lock (_lock)
        {
            var known = _resources.TryGetValue(resource.Key, out var entry) && entry.Resource.Attributes.AsSpan().SequenceEqual(attributes) ? entry.Resource : resource;
            _resources[resource.Key] = (known, ++_clock);
            resource = known;
            if (_resources.Count > maxResources)
            {
                forgotten = _resources.Values.MinBy(candidate => candidate.LastSeen).Resource;
                _resources.Remove(forgotten.Key);
            }
        }
        if (forgotten is not null) Forgotten?.Invoke(forgotten);
        return resource;
    }

    /// <summary>Sorted by name, then instance.</summary>
    public IReadOnlyList<TelemetryResource> All()
    {
        lock (_lock) return [.. _resources.Values.Select(entry => entry.Resource).OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase).ThenBy(r => r.InstanceId, StringComparer.Ordinal)];
    }

    /// <summary>Name as shown: with the instance when several processes share it.</summary>
    public string DisplayName(TelemetryResource resource)
    {
        lock (_lock) return resource.DisplayName(_resources.Values.Count(entry => entry.Resource.Name == resource.Name) > 1);
    }
}
