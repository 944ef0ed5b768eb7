using System.Globalization;
using System.Text;
using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Redis;

/// <summary>Redis as a process of this machine. Its configuration, password included, goes in through standard input.</summary>
internal static class RedisProcess
{
    private static readonly string[] Programs = ["redis-server", "valkey-server"];

    /// <summary>The path of a server program, or null.</summary>
    public static string? FindServer() => Programs.Select(p => ExecutablePath.Find(p, Environment.CurrentDirectory)).FirstOrDefault(p => p is not null);

    public static async Task<ProcessSpec> CreateAsync(RedisResource redis, ResourceInstance instance, string server, CancellationToken ct)
    {
        var (folder, temporary) = DataFolder(redis);
        var config = new StringBuilder();
        config.Append(CultureInfo.InvariantCulture, $"port {instance.TargetPorts[RedisResource.PrimaryEndpointName]}\n");
        config.Append("bind 127.0.0.1 -::1\n");                          // the dash: a machine without IPv6 is no error
        config.Append("daemonize no\nappendonly no\nloglevel warning\n");
        config.Append(CultureInfo.InvariantCulture, $"dir {Quoted(folder)}\n");
        config.Append(redis.TryGetLastAnnotation<RedisPersistenceAnnotation>(out var persistence)
            ? string.Create(CultureInfo.InvariantCulture, $"save {persistence.Interval.TotalSeconds} {persistence.KeysChangedThreshold}\n")
            : "save \"\"\n");
        if (redis.PasswordParameter is { } parameter && await parameter.GetValueAsync(ct).ConfigureAwait(false) is { Length: > 0 } password)
        {
            config.Append(CultureInfo.InvariantCulture, $"requirepass {Quoted(password)}\n");
        }
        return new ProcessSpec(server, ["-"], folder, new Dictionary<string, string>())
        {
            StandardInput = config.ToString(),
            CleanUp = temporary ? () => Delete(folder) : null,
        };
    }

    private static (string Folder, bool Temporary) DataFolder(RedisResource redis)
    {
        if (redis.TryGetLastAnnotation<ContainerMountAnnotation>(out var mount) && !string.IsNullOrEmpty(mount.Source))
        {
            var folder = mount.Type == ContainerMountType.BindMount
                ? mount.Source
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "nanoaspire", "volumes", mount.Source);
            return (Directory.CreateDirectory(folder).FullName, Temporary: false);
        }
        return (Directory.CreateTempSubdirectory("nanoaspire-redis-").FullName, Temporary: true);
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
