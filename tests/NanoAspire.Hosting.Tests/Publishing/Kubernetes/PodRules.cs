using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Kubernetes;

/// <summary>Rules for pods and their containers.</summary>
internal static partial class PodRules
{
    private static readonly string[] PodMembers =
    [
        "affinity", "containers", "dnsPolicy", "hostIPC", "hostNetwork", "hostPID", "imagePullSecrets", "initContainers", "nodeSelector", "priorityClassName", "resourceClaims",
        "restartPolicy", "runtimeClassName", "securityContext", "serviceAccountName", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
    ];

    private static readonly string[] ContainerMembers =
    [
        "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports", "readinessProbe", "resources", "securityContext",
        "startupProbe", "volumeMounts", "workingDir",
    ];

    /// <param name="where">Names the pod in problems.</param>
    /// <param name="template">A PodTemplateSpec.</param>
    /// <param name="all">The other objects: configuration and claims are looked up there.</param>
    /// <param name="owner">The stateful set whose claim templates are volumes too.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static void Check(string where, YamlNode template, IEnumerable<YamlMappingNode> all, YamlMappingNode? owner, List<string> problems)
    {
        var pod = template.At("spec")!;
        Only($"{where} pod", pod, PodMembers, problems);
        var volumes = pod.Items("volumes").Select(v => v.Text("name")!).ToList();
        foreach (var volume in pod.Items("volumes"))
        {
            KubernetesRules.Label(where, volume.Text("name") ?? "", problems);
            if (volume.Entries("").Count() != 2) problems.Add($"{where}: volume '{volume.Text("name")}' needs exactly one source");
            if (volume.Text("emptyDir/sizeLimit") is { } limit) KubernetesRules.Quantity(where, limit, problems);
            if (volume.Text("emptyDir/medium") is not (null or "Memory" or "HugePages")) problems.Add($"{where}: medium");
        }
        foreach (var twice in volumes.GroupBy(v => v).Where(g => g.Count() > 1)) problems.Add($"{where}: two volumes '{twice.Key}'");
        if (owner is not null) volumes.AddRange(owner.Items("spec/volumeClaimTemplates").Select(c => c.Text("metadata/name")!));
        foreach (var toleration in pod.Items("tolerations"))
        {
            if (toleration.Text("operator") is not ("Exists" or "Equal")) problems.Add($"{where}: toleration operator");
            if (toleration.Text("operator") == "Exists" && toleration.At("value") is not null) problems.Add($"{where}: a toleration that exists has no value");
            if (toleration.Text("effect") is not (null or "NoSchedule" or "PreferNoSchedule" or "NoExecute")) problems.Add($"{where}: toleration effect");
        }
        if (pod.Text("hostNetwork") == "true" && pod.Text("dnsPolicy") != "ClusterFirstWithHostNet") problems.Add($"{where}: the host network hides the cluster's names");
        if (!pod.Items("containers").Any()) problems.Add($"{where}: no containers");
        foreach (var container in pod.Items("containers")) Container($"{where} {container.Text("name")}", container, pod, volumes, all, problems);
    }

    private static void Container(string where, YamlNode container, YamlNode pod, List<string> volumes, IEnumerable<YamlMappingNode> all, List<string> problems)
    {
        Only(where, container, ContainerMembers, problems);
        KubernetesRules.Label(where, container.Text("name") ?? "", problems);
        if (string.IsNullOrEmpty(container.Text("image"))) problems.Add($"{where}: no image");
        if (container.Text("imagePullPolicy") is not ("Always" or "IfNotPresent" or "Never")) problems.Add($"{where}: imagePullPolicy");
        foreach (var argument in container.Items("args").Concat(container.Items("command")).Where(a => !a.IsText())) problems.Add($"{where}: argument '{argument}' is not a text");
        var ports = container.Items("ports").Select(p => p.Text("name")!).ToArray();
        foreach (var port in container.Items("ports"))
        {
            if (!PortName().IsMatch(port.Text("name") ?? "") || port.Text("name")!.Length > 15) problems.Add($"{where}: port name '{port.Text("name")}'");
            KubernetesRules.Port(where, port.At("containerPort"), problems);
        }
        foreach (var probe in new[] { "startupProbe", "readinessProbe", "livenessProbe" })
        {
            if (container.At(probe) is not { } node) continue;
            var actions = new[] { "httpGet", "exec", "tcpSocket", "grpc" }.Count(a => node.At(a) is not null);
            if (actions != 1) problems.Add($"{where}: {probe} needs one action");
            if (node.At("httpGet") is { } get)
            {
                if (get.Text("scheme") is not ("HTTP" or "HTTPS")) problems.Add($"{where}: {probe} scheme '{get.Text("scheme")}'");
                if (get.Text("path") is not ['/', ..]) problems.Add($"{where}: {probe} path");
            }
            if ((node.Text("httpGet/port") ?? node.Text("tcpSocket/port")) is { } name && !ports.Contains(name)) problems.Add($"{where}: {probe} asks port '{name}'");
        }
        foreach (var mount in container.Items("volumeMounts"))
        {
            if (!volumes.Contains(mount.Text("name")!)) problems.Add($"{where}: mounts '{mount.Text("name")}', which is no volume");
            if (mount.Text("mountPath") is not ['/', ..]) problems.Add($"{where}: mountPath");
        }
        foreach (var source in container.Items("envFrom"))
        {
            var (kind, name) = source.Text("secretRef/name") is { } secret ? ("Secret", secret) : ("ConfigMap", source.Text("configMapRef/name"));
            if (!all.Any(o => o.Text("kind") == kind && o.Text("metadata/name") == name)) problems.Add($"{where}: no {kind} '{name}'");
        }
        Resources(where, container, problems);
        if (container.Text("securityContext/runAsNonRoot") == "true" && container.Text("securityContext/runAsUser") == "0") problems.Add($"{where}: root that must not be root");
        foreach (var variable in Reference().Matches(string.Join(' ', container.Items("args"))).Select(m => m.Groups[1].Value))
        {
            if (!container.Items("env").Any(e => e.Text("name") == variable)) problems.Add($"{where}: $({variable}) is not a variable of the container");
        }
        if (pod.Text("securityContext/seccompProfile/type") is not ("RuntimeDefault" or "Localhost")) problems.Add($"{where}: no seccomp profile");
    }

    private static void Resources(string where, YamlNode container, List<string> problems)
    {
        var (limits, requests) = (container.Map("resources/limits"), container.Map("resources/requests"));
        foreach (var (name, amount) in limits.Concat(requests))
        {
            KubernetesRules.Quantity($"{where} {name}", amount, problems);
            if (!name.Contains('/', StringComparison.Ordinal)) continue;
            if (!amount.All(char.IsAsciiDigit)) problems.Add($"{where}: {name} must be whole");
            if (limits.GetValueOrDefault(name) is not { } limit || requests.TryGetValue(name, out var request) && request != limit) problems.Add($"{where}: {name} cannot be overcommitted");
        }
    }

    private static void Only(string where, YamlNode node, string[] members, List<string> problems)
    {
        foreach (var (key, _) in node.Entries("").Where(e => !members.Contains(e.Key))) problems.Add($"{where}: unknown '{key}'");
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex PortName();

    [GeneratedRegex(@"\$\(([A-Z_]+)\)")]
    private static partial Regex Reference();
}
