using NanoAspire.AppHost;
using NanoAspire.AppHost.Deployment;

if (ClusterOptions.Parse(args) is not { } cluster) return ClusterOptions.UsageError;
var builder = DistributedApplication.CreateBuilder(args);
if (builder.FindModel(cluster.Model) is not { } model) return ClusterOptions.Failure;

// What is running, and where its state lives. Without Redis on this machine, Ctrl keeps the state itself.
var redis = builder.AddRedis("redis").WithPublishedVolume("redis-data");

var ctrl = builder.AddProject<Projects.Ctrl>("ctrl", launchProfileName: null)
    .WithArgs("server")
    .WithHttpEndpoint(port: builder.DevelopmentPort(4479))
    .WithReference(redis)
    .WaitFor(redis)
    .WithHttpHealthCheck("/health")
    .AsService("/health");

// Prefill computes prompts; decode pulls their KV blocks and generates.
var prefill = cluster.Prefill == 0 ? null : builder.AddProject<Projects.PrefillEngine>("prefill", launchProfileName: null)
    .AsEngine(model, cluster, replicas: cluster.Prefill)
    .WithReference(ctrl)
    .WaitFor(ctrl);

var decode = builder.AddProject<Projects.DecodeEngine>("decode", launchProfileName: null)
    .AsEngine(model, cluster, replicas: cluster.Decode, mode: prefill is null ? "hybrid" : "decode")
    .WithReference(ctrl)
    .WaitFor(ctrl);

// The OpenAI API. Finds engines through Ctrl, so it needs no reference to them; it is ready when it can serve the model.
var router = builder.AddProject<Projects.Router>("router", launchProfileName: null)
    .WithScope(cluster)
    .WithHttpEndpoint(port: builder.DevelopmentPort(8080))
    .WithExternalHttpEndpoints()
    .WithReference(ctrl)
    .WaitFor(ctrl)
    .WithHttpHealthCheck("/ready")
    .AsService("/ready");

if (!builder.AddPublishTargets()) return ClusterOptions.UsageError;
builder.AnnounceWhenReady(router, model);
builder.Build().Run();
return Environment.ExitCode;
