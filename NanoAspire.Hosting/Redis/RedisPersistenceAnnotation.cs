namespace NanoAspire.Hosting.Redis;

internal sealed record RedisPersistenceAnnotation(TimeSpan Interval, long KeysChangedThreshold) : IResourceAnnotation;
