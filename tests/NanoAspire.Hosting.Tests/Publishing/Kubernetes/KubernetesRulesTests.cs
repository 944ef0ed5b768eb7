using YamlDotNet.RepresentationModel;

namespace NanoAspire.Hosting.Tests.Publishing.Kubernetes;

/// <summary>The validator finds what is wrong, or its silence means nothing.</summary>
public sealed class KubernetesRulesTests
{
    private const string Valid = """
        apiVersion: "apps/v1"
        kind: "Deployment"
        metadata:
          name: "web-deployment"
        spec:
          selector:
            matchLabels:
              app: "web"
          template:
            metadata:
              labels:
                app: "web"
            spec:
              securityContext:
                seccompProfile:
                  type: "RuntimeDefault"
              containers:
                - name: "web"
                  image: "web:1"
                  imagePullPolicy: "Always"
                  ports:
                    - name: "http"
                      containerPort: 8080
                  readinessProbe:
                    httpGet:
                      path: "/health"
                      port: "http"
                      scheme: "HTTP"
                  resources:
                    limits:
                      nvidia.com/gpu: "2"
                    requests:
                      nvidia.com/gpu: "2"
        """;

    [Fact]
    public void A_valid_object_is_valid() => Assert.Empty(Check(Valid));

    [Theory]
    [InlineData("\"apps/v1\"", "\"apps/v2\"", "apiVersion")]
    [InlineData("name: \"web-deployment\"", "name: \"Web_deployment\"", "DNS label")]
    [InlineData("matchLabels:\n      app: \"web\"", "matchLabels:\n      app: \"other\"", "selects no pods")]
    [InlineData("containerPort: 8080", "containerPort: \"8080\"", "not a port")]
    [InlineData("containerPort: 8080", "containerPort: 80800", "not a port")]
    [InlineData("scheme: \"HTTP\"", "scheme: \"http\"", "scheme")]
    [InlineData("port: \"http\"", "port: \"grpc\"", "asks port")]
    [InlineData("image: \"web:1\"", "image: \"\"", "no image")]
    [InlineData("imagePullPolicy: \"Always\"", "imagePullPolicies: \"Always\"", "unknown 'imagePullPolicies'")]
    [InlineData("requests:\n              nvidia.com/gpu: \"2\"", "requests:\n              nvidia.com/gpu: \"1\"", "overcommitted")]
    [InlineData("nvidia.com/gpu: \"2\"", "nvidia.com/gpu: \"1.5\"", "whole")]
    [InlineData("nvidia.com/gpu: \"2\"", "memory: \"2GB\"", "not a quantity")]
    [InlineData("type: \"RuntimeDefault\"", "type: \"None\"", "seccomp")]
    public void A_broken_object_is_found(string valid, string broken, string problem)
    {
        var text = Valid.Replace(valid, broken, StringComparison.Ordinal);
        Assert.NotEqual(Valid, text);
        Assert.Contains(Check(text), p => p.Contains(problem, StringComparison.Ordinal));
    }

    private static IReadOnlyList<string> Check(string yaml) => KubernetesRules.Check(new Dictionary<string, YamlMappingNode> { ["web.yaml"] = ChartRenderer.Load(yaml) });
}
