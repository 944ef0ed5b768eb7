using NanoAspire.AppHost;
using NanoAspire.AppHost.Deployment;
using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Kubernetes;

public sealed class HelmChartTests
{
    private static readonly (string, string)[] Password = [("secrets.redis.redis_password", "s3cret value")];

    [Fact]
    public async Task The_cluster_is_a_chart_of_valid_objects()
    {
        using var published = await PublishAsync(_ => { });
        Assert.Equal(
        [
            "Chart.yaml", "templates/ctrl/config.yaml", "templates/ctrl/deployment.yaml", "templates/ctrl/secrets.yaml", "templates/ctrl/service.yaml",
            "templates/decode/config.yaml", "templates/decode/headless.yaml", "templates/decode/service.yaml", "templates/decode/statefulset.yaml",
            "templates/prefill/config.yaml", "templates/prefill/headless.yaml", "templates/prefill/service.yaml", "templates/prefill/statefulset.yaml",
            "templates/redis/headless.yaml", "templates/redis/secrets.yaml", "templates/redis/service.yaml", "templates/redis/statefulset.yaml",
            "templates/router/config.yaml", "templates/router/deployment.yaml", "templates/router/service.yaml", "values.yaml",
        ], published.Files());
        var chart = ChartRenderer.Load(published.Read("Chart.yaml"));
        Assert.Equal(["apiVersion", "name", "version", "kubeVersion", "description", "type", "keywords", "appVersion", "deprecated"], chart.Entries("").Select(e => e.Key));
        Assert.Equal(("v2", "nanoaspire", "0.1.0"), (chart.Text("apiVersion"), chart.Text("name"), chart.Text("version")));
        Valid(published);
    }

    [Fact]
    public async Task A_secret_without_a_value_stops_the_installation_and_is_set_in_one_place()
    {
        using var published = await PublishAsync(_ => { });
        var unset = Assert.Throws<InvalidOperationException>(() => new ChartRenderer(published.Output).Render());
        Assert.Equal("set secrets.redis.redis_password", unset.Message);
        var objects = Valid(published);
        Assert.Equal("s3cret value", objects["redis/secrets.yaml"].Text("stringData/REDIS_PASSWORD"));
        Assert.Equal("redis-service:6379,password=s3cret value", objects["ctrl/secrets.yaml"].Text("stringData/ConnectionStrings__redis"));
        Assert.Equal("redis://:s3cret%20value@redis-service:6379", objects["ctrl/secrets.yaml"].Text("stringData/REDIS_URI"));
        foreach (var (file, o) in objects.Where(o => o.Value.Text("kind") != "Secret")) Assert.DoesNotContain("s3cret", o.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_the_operator_changes_changes_everywhere()
    {
        using var published = await PublishAsync(_ => { });
        var objects = Valid(published, ("parameters.ctrl.port_http", "9090"));
        Assert.Equal("9090", objects["ctrl/config.yaml"].Text("data/HTTP_PORTS"));
        Assert.Equal("9090", objects["ctrl/service.yaml"].Text("spec/ports/0/port"));
        Assert.Equal("9090", objects["ctrl/deployment.yaml"].Text("spec/template/spec/containers/0/ports/0/containerPort"));
        Assert.Equal("http://ctrl-service:9090", objects["decode/config.yaml"].Text("data/services__ctrl__http__0"));
    }

    [Fact]
    public async Task Only_the_router_is_reachable_from_outside()
    {
        using var published = await PublishAsync(_ => { });
        var objects = Valid(published);
        Assert.Equal(["router/service.yaml"], objects.Where(o => o.Value.Text("spec/type") is "LoadBalancer" or "NodePort").Select(o => o.Key));
        Assert.Equal("ClusterIP", Valid(published, ("parameters.router.service_type", "ClusterIP"))["router/service.yaml"].Text("spec/type"));
    }

    [Fact]
    public async Task Engines_are_stateful_start_slowly_and_offer_their_own_address()
    {
        using var published = await PublishAsync(_ => { }, "--decode", "3");
        var decode = Valid(published)["decode/statefulset.yaml"];
        Assert.Equal(("3", "Parallel", "120"), (decode.Text("spec/replicas"), decode.Text("spec/podManagementPolicy"), decode.Text("spec/template/spec/terminationGracePeriodSeconds")));
        var container = decode.At("spec/template/spec/containers/0")!;
        Assert.Equal(["serve", "/models/demo", "--mode", "decode", "--host", "$(POD_IP)"], container.Items("args").Select(a => ((YamlScalarNode)a).Value));
        Assert.Equal("status.podIP", container.Text("env/0/valueFrom/fieldRef/fieldPath"));
        Assert.True(int.Parse(container.Text("startupProbe/periodSeconds")!) * int.Parse(container.Text("startupProbe/failureThreshold")!) >= 1800);
        Assert.Equal("true", container.Text("securityContext/runAsNonRoot"));
        Assert.Equal("decode-budget", Valid(published)["decode/budget.yaml"].Text("metadata/name"));
    }

    [Fact]
    public async Task Accelerators_fabric_and_placement_are_written_from_the_typed_facts()
    {
        using var published = await PublishAsync(_ => { }, "--gpus", "8", "--rdma", "hca_shared_devices_a=2", "--model-volume", "pvc:models", "--shm", "64Gi", "--cpu", "32", "--memory", "512Gi",
            "--node-selector", "nvidia.com/gpu.present=true", "--toleration", "dedicated=inference", "--host-network", "true");
        var objects = Valid(published);
        var pod = objects["prefill/statefulset.yaml"].At("spec/template/spec")!;
        var container = pod.At("containers/0")!;
        Assert.Equal(new Dictionary<string, string> { ["memory"] = "512Gi", ["nvidia.com/gpu"] = "8", ["rdma/hca_shared_devices_a"] = "2" }, container.Map("resources/limits"));
        Assert.Equal("32", container.Map("resources/requests")["cpu"]);
        Assert.Equal(("0", "IPC_LOCK", "ALL"), (container.Text("securityContext/runAsUser"), container.Text("securityContext/capabilities/add/0"), container.Text("securityContext/capabilities/drop/0")));
        Assert.Equal(("Memory", "64Gi"), (pod.Text("volumes/0/emptyDir/medium"), pod.Text("volumes/0/emptyDir/sizeLimit")));
        Assert.Equal(("models", "true"), (pod.Text("volumes/1/persistentVolumeClaim/claimName"), container.Text("volumeMounts/1/readOnly")));
        Assert.Equal("true", pod.Map("nodeSelector")["nvidia.com/gpu.present"]);
        Assert.Equal(["nvidia.com/gpu", "dedicated"], pod.Items("tolerations").Select(t => t.Text("key")));
        Assert.Equal("true", pod.Text("hostNetwork"));
        Assert.NotEqual(container.Text("ports/0/containerPort"), objects["decode/statefulset.yaml"].Text("spec/template/spec/containers/0/ports/0/containerPort"));
        Assert.Null(objects["router/deployment.yaml"].At("spec/template/spec/containers/0/resources"));
    }

    [Fact]
    public async Task An_engine_over_several_nodes_is_a_group_whose_leader_alone_is_asked()
    {
        using var published = await PublishAsync(builder => builder.CreateResourceBuilder<ProjectResource>("decode").SpanningNodes(4).WithEngineReplicas(2).WithGpus(8));
        var objects = Valid(published);
        var set = objects["decode/leaderworkerset.yaml"];
        Assert.Equal(("2", "4"), (set.Text("spec/replicas"), set.Text("spec/leaderWorkerTemplate/size")));
        Assert.NotNull(set.At("spec/leaderWorkerTemplate/leaderTemplate/spec/containers/0/readinessProbe"));
        Assert.Null(set.At("spec/leaderWorkerTemplate/workerTemplate/spec/containers/0/readinessProbe"));
        Assert.Equal("8", set.At("spec/leaderWorkerTemplate/workerTemplate/spec/containers/0")!.Map("resources/limits")["nvidia.com/gpu"]);
        Assert.Equal("0", objects["decode/service.yaml"].Map("spec/selector")["leaderworkerset.sigs.k8s.io/worker-index"]);
    }

    [Fact]
    public async Task Engines_are_scaled_on_the_requests_that_wait()
    {
        using var published = await PublishAsync(_ => { }, "--autoscale", "6=http://prometheus:9090");
        var objects = Valid(published);
        Assert.Equal(("1", "6"), (objects["decode/scaling.yaml"].Text("spec/minReplicaCount"), objects["decode/scaling.yaml"].Text("spec/maxReplicaCount")));
        Assert.Contains("requests_waiting", objects["decode/scaling.yaml"].Text("spec/triggers/0/metadata/query"), StringComparison.Ordinal);
        Assert.Null(objects["decode/statefulset.yaml"].At("spec/replicas"));
    }

    [Fact]
    public async Task What_an_earlier_model_left_goes_and_what_the_user_added_stays()
    {
        using var published = new PublishedApplication("kubernetes");
        Directory.CreateDirectory(Path.Combine(published.Output, "templates", "gone"));
        await File.WriteAllTextAsync(Path.Combine(published.Output, "templates", "gone", "deployment.yaml"), "old", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(published.Output, "templates", "ingress.yaml"), "mine", TestContext.Current.CancellationToken);
        published.Builder.AddKubernetesEnvironment("k8s");
        published.Builder.AddContainer("one", "x");
        await published.RunAsync();
        Assert.Equal("mine", published.Read("templates/ingress.yaml"));
        Assert.False(Directory.Exists(Path.Combine(published.Output, "templates", "gone")));
    }

    [Fact]
    public async Task Text_that_looks_like_a_template_stays_text()
    {
        using var published = new PublishedApplication("kubernetes");
        published.Builder.AddKubernetesEnvironment("k8s");
        published.Builder.AddContainer("one", "x").WithArgs("{{ .Values.x }}").WithEnvironment("A-B.C", "plain").WithEnvironment("YES", "yes");
        await published.RunAsync();
        var objects = Valid(published);
        Assert.Equal("{{ .Values.x }}", objects["one/deployment.yaml"].Text("spec/template/spec/containers/0/args/0"));
        Assert.Equal("plain", objects["one/config.yaml"].Text("data/A-B.C"));
        Assert.Equal("yes", objects["one/config.yaml"].Text("data/YES"));
    }

    [Fact]
    public async Task Health_checks_become_probes_and_declared_probes_take_their_place()
    {
        using var published = new PublishedApplication("kubernetes");
        published.Builder.AddKubernetesEnvironment("k8s");
        published.Builder.AddContainer("one", "x").WithHttpEndpoint(targetPort: 80).WithHttpHealthCheck("/ok")
            .WithHttpProbe(ProbeType.Liveness, "/old").WithHttpProbe(ProbeType.Liveness, "/live", periodSeconds: 7, failureThreshold: 9);
        await published.RunAsync();
        var container = Valid(published)["one/deployment.yaml"].At("spec/template/spec/containers/0")!;
        Assert.Equal(("/ok", "/ok", "/live"), (container.Text("startupProbe/httpGet/path"), container.Text("readinessProbe/httpGet/path"), container.Text("livenessProbe/httpGet/path")));
        Assert.Equal(("7", "9"), (container.Text("livenessProbe/periodSeconds"), container.Text("livenessProbe/failureThreshold")));
        Assert.Throws<DistributedApplicationException>(() => published.Builder.AddContainer("two", "x").WithEndpoint(name: "raw").WithHttpProbe(ProbeType.Startup, endpointName: "raw"));
    }

    [Theory]
    [InlineData("pvc")]
    [InlineData("emptyDir")]
    [InlineData("hostpath")]
    public async Task Named_volumes_become_the_storage_that_the_environment_has(string storage)
    {
        using var published = new PublishedApplication("kubernetes");
        published.Builder.AddKubernetesEnvironment("k8s").WithProperties(k8s => (k8s.DefaultStorageType, k8s.DefaultStorageSize) = (storage, "5Gi"));
        published.Builder.AddContainer("one", "x").WithVolume("data", "/data");
        published.Builder.AddRedis("redis").WithDataVolume("redis-data");
        await published.RunAsync();
        Valid(published);
        Assert.Equal(storage == "pvc", published.Files().Contains("templates/one/data-pvc.yaml"));
    }

    private static async Task<PublishedApplication> PublishAsync(Action<IDistributedApplicationBuilder> change, params string[] options)
    {
        var published = new PublishedApplication("kubernetes");
        published.Builder.AddCluster(options);
        change(published.Builder);
        Assert.True(published.Builder.AddPublishTargets());
        return await published.RunAsync();
    }

    private static Dictionary<string, YamlMappingNode> Valid(PublishedApplication published, params (string, string)[] set)
    {
        var objects = new ChartRenderer(published.Output, "test", [.. Password, .. set]).Render();
        Assert.Empty(KubernetesRules.Check(objects));
        return objects;
    }
}
