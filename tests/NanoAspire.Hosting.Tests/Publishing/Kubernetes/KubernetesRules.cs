using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Kubernetes;

/// <summary>Rules that the Kubernetes API has for objects, written down independently of the writer, and what objects of one chart owe each other.</summary>
internal static partial class KubernetesRules
{
    private static readonly Dictionary<string, string> Versions = new()
    {
        ["Deployment"] = "apps/v1", ["StatefulSet"] = "apps/v1", ["Service"] = "v1", ["ConfigMap"] = "v1", ["Secret"] = "v1", ["PersistentVolumeClaim"] = "v1",
        ["PodDisruptionBudget"] = "policy/v1", ["ScaledObject"] = "keda.sh/v1alpha1", ["LeaderWorkerSet"] = "leaderworkerset.x-k8s.io/v1",
    };

    /// <summary>What is wrong, in words; nothing when the objects are valid together.</summary>
    public static IReadOnlyList<string> Check(IReadOnlyDictionary<string, YamlMappingNode> objects)
    {
        var problems = new List<string>();
        foreach (var (file, o) in objects)
        {
            var kind = o.Text("kind") ?? "";
            if (!Versions.TryGetValue(kind, out var version)) problems.Add($"{file}: kind '{kind}'");
            else if (o.Text("apiVersion") != version) problems.Add($"{file}: apiVersion '{o.Text("apiVersion")}'");
            CheckMetadata(file, o, problems);
            foreach (var (template, where) in Templates(o)) PodRules.Check($"{file}{where}", template, objects.Values, kind == "StatefulSet" ? o : null, problems);
            if (kind is "Deployment" or "StatefulSet") Selects(file, o.Map("spec/selector/matchLabels"), [o.At("spec/template")!], problems);
            if (kind == "StatefulSet") CheckStateful(file, o, objects.Values, problems);
            if (kind == "Service") CheckService(file, o, objects.Values, problems);
            if (kind == "PodDisruptionBudget") Selects(file, o.Map("spec/selector/matchLabels"), Pods(objects.Values), problems);
            if (kind == "ScaledObject") CheckScaling(file, o, objects.Values, problems);
            if (kind == "LeaderWorkerSet" && o.At("spec/leaderWorkerTemplate/workerTemplate") is null) problems.Add($"{file}: no workerTemplate");
            if (kind is "ConfigMap" or "Secret")
            {
                foreach (var (key, value) in o.Entries(kind == "Secret" ? "stringData" : "data"))
                {
                    if (!DataKey().IsMatch(key)) problems.Add($"{file}: key '{key}'");
                    if (!value.IsText()) problems.Add($"{file}: {key} is not a text");
                }
            }
        }
        foreach (var twice in objects.GroupBy(o => (o.Value.Text("kind"), o.Value.Text("metadata/name"))).Where(g => g.Count() > 1)) problems.Add($"two of {twice.Key}");
        return problems;
    }

    public static void Quantity(string where, string text, List<string> problems)
    {
        if (!QuantityPattern().IsMatch(text)) problems.Add($"{where}: '{text}' is not a quantity");
    }

    public static void Label(string where, string name, List<string> problems)
    {
        if (name.Length > 63 || !DnsLabel().IsMatch(name)) problems.Add($"{where}: '{name}' is not a DNS label");
    }

    /// <summary>A port is a number from 1 to 65535, without quotes.</summary>
    public static void Port(string where, YamlNode? node, List<string> problems)
    {
        if (node is null || !node.IsNumber() || int.Parse(((YamlScalarNode)node).Value!) is < 1 or > 65535) problems.Add($"{where}: '{node}' is not a port");
    }

    private static void CheckMetadata(string file, YamlMappingNode o, List<string> problems)
    {
        if (o.Text("metadata/name") is not { } name) problems.Add($"{file}: no name");
        else Label(file, name, problems);
        foreach (var (path, map) in new[] { ("metadata/labels", o.Map("metadata/labels")), ("spec/template/metadata/labels", o.Map("spec/template/metadata/labels")) })
        {
            foreach (var (key, value) in map)
            {
                if (!LabelKey().IsMatch(key)) problems.Add($"{file}: {path} key '{key}'");
                if (value.Length > 63 || !LabelValue().IsMatch(value)) problems.Add($"{file}: {path} value '{value}'");
            }
        }
    }

    private static void CheckStateful(string file, YamlMappingNode o, IEnumerable<YamlMappingNode> all, List<string> problems)
    {
        var service = all.FirstOrDefault(s => s.Text("kind") == "Service" && s.Text("metadata/name") == o.Text("spec/serviceName"));
        if (service?.Text("spec/clusterIP") != "None") problems.Add($"{file}: serviceName '{o.Text("spec/serviceName")}' is no headless service");
        foreach (var claim in o.Items("spec/volumeClaimTemplates"))
        {
            Label(file, claim.Text("metadata/name") ?? "", problems);
            if (!claim.Items("spec/accessModes").Any()) problems.Add($"{file}: a claim without access modes");
            Quantity(file, claim.Text("spec/resources/requests/storage") ?? "", problems);
        }
    }

    private static void CheckService(string file, YamlMappingNode o, IEnumerable<YamlMappingNode> all, List<string> problems)
    {
        if (o.Text("spec/type") is not (null or "ClusterIP" or "NodePort" or "LoadBalancer")) problems.Add($"{file}: type '{o.Text("spec/type")}'");
        if (o.Text("spec/clusterIP") != "None" && !o.Items("spec/ports").Any()) problems.Add($"{file}: no ports");
        var selector = o.Map("spec/selector");
        selector.Remove("leaderworkerset.sigs.k8s.io/worker-index");             // the controller adds it to pods
        var pods = Pods(all).ToArray();
        Selects(file, selector, pods, problems);
        foreach (var port in o.Items("spec/ports"))
        {
            Port($"{file} port", port.At("port"), problems);
            Port($"{file} targetPort", port.At("targetPort"), problems);
            var target = port.Text("targetPort");
            if (!pods.Where(p => Matches(selector, p)).SelectMany(p => p.Items("spec/containers")).SelectMany(c => c.Items("ports")).Any(p => p.Text("containerPort") == target))
            {
                problems.Add($"{file}: nothing listens on {target}");
            }
        }
    }

    private static void CheckScaling(string file, YamlMappingNode o, IEnumerable<YamlMappingNode> all, List<string> problems)
    {
        var target = all.FirstOrDefault(w => w.Text("kind") == o.Text("spec/scaleTargetRef/kind") && w.Text("metadata/name") == o.Text("spec/scaleTargetRef/name"));
        if (target is null) problems.Add($"{file}: scales nothing");
        else if (target.At("spec/replicas") is not null && target.Text("kind") == "StatefulSet") problems.Add($"{file}: an upgrade would reset the replicas");
        if (int.Parse(o.Text("spec/minReplicaCount")!) > int.Parse(o.Text("spec/maxReplicaCount")!)) problems.Add($"{file}: minimum above maximum");
        if (!o.Items("spec/triggers").Any()) problems.Add($"{file}: no triggers");
    }

    private static void Selects(string file, Dictionary<string, string> selector, IEnumerable<YamlNode> pods, List<string> problems)
    {
        if (selector.Count == 0) problems.Add($"{file}: no selector");
        if (!pods.Any(p => Matches(selector, p))) problems.Add($"{file}: selects no pods");
    }

    private static bool Matches(Dictionary<string, string> selector, YamlNode pod)
    {
        var labels = pod.Map("metadata/labels");
        return selector.All(s => labels.GetValueOrDefault(s.Key) == s.Value);
    }

    private static IEnumerable<YamlNode> Pods(IEnumerable<YamlMappingNode> all) => all.SelectMany(Templates).Select(t => t.Template);

    private static IEnumerable<(YamlNode Template, string Where)> Templates(YamlMappingNode o)
    {
        if (o.At("spec/template") is { } only) yield return (only, "");
        if (o.At("spec/leaderWorkerTemplate/leaderTemplate") is { } leader) yield return (leader, " leader");
        if (o.At("spec/leaderWorkerTemplate/workerTemplate") is { } worker) yield return (worker, " worker");
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex DnsLabel();

    [GeneratedRegex("^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]
    private static partial Regex LabelKey();

    [GeneratedRegex("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]
    private static partial Regex LabelValue();

    [GeneratedRegex("^[-._A-Za-z0-9]{1,253}$")]
    private static partial Regex DataKey();

    [GeneratedRegex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")]
    private static partial Regex QuantityPattern();
}
