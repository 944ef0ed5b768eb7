namespace NanoAspire.ServiceDefaults.Metrics;

/// <summary>Tags in the order they were recorded. Looked up by span, so that a measurement with known tags allocates nothing.</summary>
internal sealed class TagSet(ReadOnlySpan<KeyValuePair<string, object?>> tags)
{
    private readonly KeyValuePair<string, object?>[] _tags = tags.ToArray();

    public ReadOnlySpan<KeyValuePair<string, object?>> Tags => _tags;

    public sealed class Comparer : IEqualityComparer<TagSet>, IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, TagSet>
    {
        public static Comparer Instance { get; } = new();

        public bool Equals(TagSet? x, TagSet? y) => x is null ? y is null : y is not null && Equals(x.Tags, y);

        public int GetHashCode(TagSet obj) => GetHashCode(obj.Tags);

        public TagSet Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => new(alternate);

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, TagSet other)
        {
            var tags = other.Tags;
            if (alternate.Length != tags.Length) return false;
            for (var i = 0; i < tags.Length; i++)
            {
                if (alternate[i].Key != tags[i].Key || !Equals(alternate[i].Value, tags[i].Value)) return false;
            }
            return true;
        }

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            var hash = new HashCode();
            foreach (var (key, value) in alternate)
            {
                hash.Add(key);
                hash.Add(value);
            }
            return hash.ToHashCode();
        }
    }
}
