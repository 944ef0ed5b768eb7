using System.Globalization;

namespace NanoAspire.TransferPeer;

/// <summary>
/// What a process holds, by kind: open files, mappings that transports make, threads that are not the runtime's, managed bytes, and
/// what the process counts itself. Crosses processes as one line of text.
/// </summary>
public sealed class ProcessResources
{
    public const string Sockets = "file socket", ReaderConnections = "connections reader", SourceConnections = "connections source";
    private const string Managed = "managed bytes";
    /// <summary>Of the managed heap: pools and caches of the runtime fill up while tests run.</summary>
    private const long ManagedSlack = 2 << 20;

    private readonly SortedDictionary<string, long> _counts;

    private ProcessResources(SortedDictionary<string, long> counts) => _counts = counts;

    /// <summary>0 for what was not there.</summary>
    public long this[string kind] => _counts.GetValueOrDefault(kind);

    /// <summary>Of this process.</summary>
    /// <param name="collect">Collects first: only then managed memory says something; but what nobody closed may be closed by it.</param>
    /// <param name="own">What the process counts itself.</param>
    public static ProcessResources Take(bool collect, params (string Kind, long Count)[] own)
    {
        SortedDictionary<string, long> counts = new(StringComparer.Ordinal);
        if (collect)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            counts[Managed] = GC.GetTotalMemory(forceFullCollection: true);
        }
        foreach (var (kind, count) in own) counts[kind] = count;
        foreach (var kind in Files().Concat(Mappings()).Concat(Threads())) counts[kind] = counts.GetValueOrDefault(kind) + 1;
        return new(counts);
    }

    public static ProcessResources Parse(string text) => new(new(
        text.Split('\t').Select(static part => part.Split('=')).ToDictionary(static part => part[0], static part => long.Parse(part[1], CultureInfo.InvariantCulture)),
        StringComparer.Ordinal));

    public override string ToString() => string.Join('\t', _counts.Select(static c => string.Create(CultureInfo.InvariantCulture, $"{c.Key}={c.Value}")));

    /// <summary>What there is more of than at the start, for people; null when there is nothing.</summary>
    /// <param name="start">Earlier, of the same process.</param>
    /// <param name="except">Kinds that do not count.</param>
    public string? GrowthSince(ProcessResources start, params string[] except)
    {
        var grown = _counts.Where(c => !except.Contains(c.Key) && c.Value > start[c.Key] + (c.Key == Managed ? ManagedSlack : 0))
            .Select(c => $"{c.Key}: {start[c.Key]} -> {c.Value}").ToArray();
        return grown.Length == 0 ? null : string.Join(", ", grown);
    }

    /// <summary>True when there is exactly as much of everything as there, but for managed memory.</summary>
    public bool IsAsMuchAs(ProcessResources other) =>
        _counts.Keys.Union(other._counts.Keys).All(kind => kind == Managed || this[kind] == other[kind]);

    private static IEnumerable<string> Files()
    {
        foreach (var entry in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (Look(entry, static e => new FileInfo(e).LinkTarget) is not { } target) continue;
            if (target.EndsWith(".dll", StringComparison.Ordinal) || target.EndsWith(".pdb", StringComparison.Ordinal)) continue; // code, opened when it is needed
            yield return $"file {KindOf(target)}";
        }
    }

    /// <param name="target">As socket:[1234], pipe:[1234], anon_inode:[eventpoll], /dev/shm/name, /memfd:name.</param>
    private static string KindOf(string target) =>
        target.StartsWith("/memfd:nanoaspire-", StringComparison.Ordinal) ? "arena"
        : target.StartsWith("/dev/shm/", StringComparison.Ordinal) ? "POSIX segment"
        : target.StartsWith('/') || target.StartsWith("anon_inode:", StringComparison.Ordinal) ? target
        : target[..target.IndexOf(':', StringComparison.Ordinal)];

    private static IEnumerable<string> Mappings()
    {
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            if (line.Contains("/memfd:nanoaspire-", StringComparison.Ordinal)) yield return "mapped arena";
            else if (line.Contains("/SYSV", StringComparison.Ordinal)) yield return "mapped System V segment";
            else if (line.Contains("/dev/shm/", StringComparison.Ordinal)) yield return "mapped POSIX segment";
        }
    }

    /// <summary>The runtime's own come and go with its load, and are called so.</summary>
    private static IEnumerable<string> Threads() =>
        Directory.GetDirectories("/proc/self/task")
            .Select(static task => Look(task, static t => File.ReadAllText(Path.Combine(t, "comm")).Trim()))
            .Where(static name => name is not null && !name.StartsWith(".NET", StringComparison.Ordinal))
            .Select(static name => $"thread {name}");

    /// <summary>Null for what is gone by now.</summary>
    private static string? Look(string entry, Func<string, string?> look)
    {
        try { return look(entry); }
        catch (IOException) { return null; }
    }
}
