// The smallest application that has everything: a store, a back end with replicas, a front end that needs both.
var builder = DistributedApplication.CreateBuilder(args);

var redis = builder.AddRedis("redis");

var back = builder.AddProject<Projects.Hosting_SampleService>("back", launchProfileName: null)
    .WithArgs("--name", "back")
    .WithHttpEndpoint()
    .WithReference(redis)
    .WaitFor(redis)
    .WithHttpHealthCheck("/health");

builder.AddProject<Projects.Hosting_SampleService>("front", launchProfileName: null)
    .WithArgs("--name", "front")
    .WithArgs(context =>
    {
        if (builder.Configuration["stubborn"] is not null) context.Args.Add("--ignore-stop=true");
    })
    .WithHttpEndpoint(port: builder.Configuration["port"] is { } port ? int.Parse(port) : null)
    .WithExternalHttpEndpoints()
    .WithReference(back)
    .WaitFor(back)
    .WithHttpHealthCheck("/health");

builder.Build().Run();
