using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Compose;

/// <summary>Rules of the compose specification for what we write, and what the parts of a file owe each other.</summary>
internal static partial class ComposeRules
{
    private static readonly string[] ServiceMembers =
    [
        "build", "cap_add", "cap_drop", "command", "depends_on", "deploy", "devices", "entrypoint", "env_file", "environment", "expose", "healthcheck", "image", "init", "ipc",
        "labels", "network_mode", "networks", "ports", "profiles", "restart", "security_opt", "shm_size", "stop_grace_period", "sysctls", "tmpfs", "ulimits", "user", "volumes",
    ];

    public static IReadOnlyList<string> Check(YamlMappingNode file, string env)
    {
        var problems = new List<string>();
        var variables = env.Split('\n').Where(l => !l.StartsWith('#') && l.Contains('=')).Select(l => l.Split('=')[0]).ToArray();
        foreach (var twice in variables.GroupBy(v => v).Where(g => g.Count() > 1)) problems.Add($".env has {twice.Key} twice");
        foreach (var text in Texts(file))
        {
            foreach (var match in Variable().Matches(text.Replace("$$", "", StringComparison.Ordinal)).Where(m => !variables.Contains(m.Groups[1].Value))) problems.Add($"{match.Value} is not in .env");
            if (Dollar().IsMatch(text.Replace("$$", "", StringComparison.Ordinal))) problems.Add($"'{text}' has a lone dollar sign");
        }
        foreach (var (name, service) in file.Entries("services")) CheckService(file, name, service, problems);
        foreach (var (key, _) in file.Entries("").Where(e => e.Key is not ("services" or "networks" or "volumes" or "name"))) problems.Add($"unknown '{key}'");
        return problems;
    }

    private static void CheckService(YamlMappingNode file, string name, YamlNode service, List<string> problems)
    {
        if (!ServiceName().IsMatch(name)) problems.Add($"service name '{name}'");
        foreach (var (key, _) in service.Entries("").Where(e => !ServiceMembers.Contains(e.Key))) problems.Add($"{name}: unknown '{key}'");
        if (service.At("image") is null && service.At("build") is null) problems.Add($"{name}: no image");
        foreach (var (variable, value) in service.Entries("environment").Where(e => !e.Value.IsText())) problems.Add($"{name}: {variable} = {value} is not a text");
        foreach (var network in service.Items("networks").Where(n => file.At($"networks/{n}") is null)) problems.Add($"{name}: no network '{network}'");
        foreach (var (other, dependency) in service.Entries("depends_on"))
        {
            if (file.At($"services/{other}") is not { } needed) problems.Add($"{name}: depends on '{other}'");
            else if (dependency.Text("condition") == "service_healthy" && needed.At("healthcheck") is null) problems.Add($"{name}: waits for ever for '{other}' to be healthy");
            if (dependency.Text("condition") is not ("service_started" or "service_healthy" or "service_completed_successfully")) problems.Add($"{name}: condition '{dependency.Text("condition")}'");
        }
        foreach (var volume in service.Items("volumes"))
        {
            if (volume.Text("type") is not ("volume" or "bind" or "tmpfs")) problems.Add($"{name}: volume type '{volume.Text("type")}'");
            if (volume.Text("target") is not ['/', ..]) problems.Add($"{name}: volume target");
            if (volume.Text("type") == "volume" && volume.Text("source") is { } source && file.At($"volumes/{source}") is null) problems.Add($"{name}: no volume '{source}'");
            if (volume.Text("type") == "bind" && volume.Text("source") is not (['/', ..] or ['$', ..])) problems.Add($"{name}: bind source '{volume.Text("source")}'");
        }
        if (service.At("healthcheck") is { } check)
        {
            if (check.Text("test/0") is not ("CMD" or "CMD-SHELL")) problems.Add($"{name}: healthcheck test");
            foreach (var time in new[] { "interval", "timeout", "start_period" }) if (check.Text(time) is { } text && !Duration().IsMatch(text)) problems.Add($"{name}: {time} '{text}'");
        }
        if (service.Text("shm_size") is { } size && !Size().IsMatch(size)) problems.Add($"{name}: shm_size '{size}'");
        foreach (var device in service.Items("devices").Select(d => ((YamlScalarNode)d).Value!).Where(d => !Device().IsMatch(d))) problems.Add($"{name}: device '{device}'");
        foreach (var device in service.Items("deploy/resources/reservations/devices"))
        {
            if (!device.Items("capabilities").Any()) problems.Add($"{name}: a reserved device needs capabilities");
            if (device.At("count") is not null == device.At("device_ids") is not null) problems.Add($"{name}: devices by count or by id");
        }
        foreach (var port in service.Items("ports").Select(p => ((YamlScalarNode)p).Value!).Where(p => p.Split(':').Length > 3)) problems.Add($"{name}: port '{port}'");
    }

    private static IEnumerable<string> Texts(YamlNode node) => node switch
    {
        YamlScalarNode { Value: { } text } => [text],
        YamlMappingNode map => map.Children.SelectMany(c => Texts(c.Value)),
        YamlSequenceNode list => list.Children.SelectMany(Texts),
        _ => [],
    };

    [GeneratedRegex(@"\$\{([A-Z0-9_]+)(:\?[^}]*)?\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\$(?!\{[A-Z0-9_]+(:\?[^}]*)?\})")]
    private static partial Regex Dollar();

    [GeneratedRegex("^[a-z0-9][a-z0-9_.-]*$")]
    private static partial Regex ServiceName();

    [GeneratedRegex("^[0-9]+(ms|s|m|h)$")]
    private static partial Regex Duration();

    [GeneratedRegex("^[0-9]+(b|kb|mb|gb)$")]
    private static partial Regex Size();

    [GeneratedRegex("^(/[^:]+(:/[^:]+(:[rwm]+)?)?|[a-z0-9.]+/[a-z]+=[A-Za-z0-9]+)$")]
    private static partial Regex Device();
}
