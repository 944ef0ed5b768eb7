using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NanoAspire.Ctrl.Cli;

/// <summary>What <c>start</c> leaves behind for <c>status</c> and <c>stop</c>: pid, description and log in the runtime folder.</summary>
internal sealed class RuntimeFiles(string folder)
{
    private const string Name = "nanoctrl";

    public string Folder => folder;
    public string PidFile => Path.Combine(folder, Name + ".pid");
    public string MetaFile => Path.Combine(folder, Name + ".meta.json");
    public string DefaultLog => Path.Combine(folder, Name + ".log");

    public static RuntimeFiles FromEnvironment()
    {
        foreach (var variable in (string[])["NANOCTRL_RUNTIME_DIR", "DLSLIME_CTRL_RUNTIME_DIR"])
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given) return new RuntimeFiles(given);
        var parent = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? runtime : Path.GetTempPath();
        return new RuntimeFiles(Path.Combine(parent, Name));
    }

    /// <summary>Keeps two <c>start</c> or <c>stop</c> calls apart. Null when another holds it.</summary>
    public FileStream? TryLock()
    {
        Directory.CreateDirectory(folder);
        try { return new FileStream(Path.Combine(folder, Name + ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
        catch (IOException) { return null; }
    }

    /// <summary>Null when there is no readable pid.</summary>
    public RunningInstance? Read()
    {
        if (ReadText(PidFile) is not { } text || !int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid == 0) return null;
        InstanceMeta? meta = null;
        try { meta = ReadText(MetaFile) is { } json ? JsonSerializer.Deserialize(json, CliJson.Default.InstanceMeta) : null; }
        catch (JsonException) { }                                            // damaged: the pid alone still says enough
        return new RunningInstance(pid, meta);
    }

    public void Write(InstanceMeta meta)
    {
        File.WriteAllText(MetaFile, JsonSerializer.Serialize(meta, CliJson.Default.InstanceMeta));
        File.WriteAllText(PidFile, meta.Pid.ToString(CultureInfo.InvariantCulture));
    }

    public void Remove()
    {
        File.Delete(PidFile);
        File.Delete(MetaFile);
    }

    private static string? ReadText(string path)
    {
        try { return File.ReadAllText(path); }
        catch (FileNotFoundException) { return null; }
        catch (DirectoryNotFoundException) { return null; }
    }
}

/// <param name="Pid">From the pid file.</param>
/// <param name="Meta">Null when the description is missing or damaged.</param>
internal sealed record RunningInstance(int Pid, InstanceMeta? Meta)
{
    /// <summary>The very process that was started, not one that got its number later.</summary>
    public bool IsAlive => ProcessIdentity.IsAlive(Pid, Meta?.StartMark);
}

/// <summary>The description file. The first five members are the wire contract.</summary>
internal sealed record InstanceMeta
{
    public required int Pid { get; init; }
    public required string Address { get; init; }
    public required string[] Cmd { get; init; }
    public required string Log { get; init; }
    /// <summary>Unix seconds.</summary>
    public required long StartedAt { get; init; }
    /// <summary>Tells the process from a later one with its number (<see cref="ProcessIdentity"/>).</summary>
    public string? StartMark { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(InstanceMeta))]
internal sealed partial class CliJson : JsonSerializerContext;
