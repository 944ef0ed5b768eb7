using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace NanoAspire.Hosting.Tests.Surface;

/// <summary>Resources, annotations and values as extensions of Aspire 13.1 use them. Nothing runs: that it compiles is the test.</summary>
[SuppressMessage("Performance", "CA1859", Justification = "the declared types are the point")]
[SuppressMessage("Usage", "CA2012", Justification = "never executed")]
internal static class ModelSurface
{
    public static void Resources(IDistributedApplicationBuilder builder, IResource resource, ProjectResource project)
    {
        Collection<IResourceAnnotation> annotations = resource.Annotations;
        string name = resource.Name;
        var model = new DistributedApplicationModel(resources: new List<IResource> { resource });
        model = new DistributedApplicationModel(resources: builder.Resources);
        IResourceCollection all = model.Resources;
        IEnumerable<IResource> kinds = [.. model.GetProjectResources(), .. model.GetContainerResources(), .. model.GetExecutableResources(), .. model.GetComputeResources()];
        var executable = new ExecutableResource(name: "e", command: "c", workingDirectory: "w");
        string text = executable.Command + executable.WorkingDirectory;
        var container = new ContainerResource(name: "c", entrypoint: "e");
        string? entrypoint = container.Entrypoint;
        var parameter = new ParameterResource(name: "p", callback: (ParameterDefault? d) => d?.GetDefaultValue() ?? "", secret: true);
        IProjectMetadata metadata = project.GetProjectMetadata();
        text += metadata.ProjectPath;
        LaunchSettings? settings = metadata.LaunchSettings;
        bool flags = metadata.SuppressBuild || metadata.IsFileBasedApp;
        foreach (LaunchProfile profile in settings!.Profiles.Values)
        {
            _ = (profile.CommandName, profile.ApplicationUrl, profile.CommandLineArgs, profile.EnvironmentVariables, profile.LaunchBrowser, profile.LaunchUrl, profile.DotnetRunMessages, profile.ExecutablePath);
        }
        flags |= resource.TryGetLastAnnotation<ReplicaAnnotation>(annotation: out ReplicaAnnotation? last);
        flags |= resource.TryGetAnnotationsOfType<ReplicaAnnotation>(result: out IEnumerable<ReplicaAnnotation>? many);
        flags |= resource.HasAnnotationOfType<ReplicaAnnotation>();
        flags |= resource.TryGetAnnotationsIncludingAncestorsOfType<ReplicaAnnotation>(result: out many);
        flags |= resource.TryGetEndpoints(endpoints: out IEnumerable<EndpointAnnotation>? endpoints);
        flags |= resource.TryGetEnvironmentVariables(environmentVariables: out IEnumerable<EnvironmentCallbackAnnotation>? variables);
        flags |= resource.TryGetContainerImageName(imageName: out string? image);
        flags |= resource.TryGetContainerMounts(volumeMounts: out IEnumerable<ContainerMountAnnotation>? mounts);
        flags |= resource.TryGetUrls(urls: out IEnumerable<ResourceUrlAnnotation>? urls);
        int replicas = resource.GetReplicaCount();
        flags |= resource.IsContainer() || resource.IsExcludedFromPublish();
        IReadOnlyList<ResolvedEndpoint> resolved = resource.ResolveEndpoints(portAllocator: null);
        EndpointReference endpoint = project.GetEndpoint(endpointName: "http");
        IEnumerable<EndpointReference> references = project.GetEndpoints();
        IResourceWithParent<ProjectResource> child = new Child("c", project);
        IResource parent = ((IResourceWithParent)child).Parent;
        IResourceWithConnectionString connection = new Connected("c");
        _ = (annotations, name, all, kinds, text, entrypoint, parameter, flags, last, many, endpoints, variables, image, mounts, urls, replicas, resolved, endpoint, references, parent,
            connection.GetConnectionStringAsync(), connection.ConnectionStringEnvironmentVariable, connection.GetConnectionProperties(), connection.ValueExpression);
        IResourceBuilder<IResource> covariant = builder.CreateResourceBuilder(project);
        covariant = covariant.WithAnnotation(annotation: new ReplicaAnnotation(2), behavior: ResourceAnnotationMutationBehavior.Replace);
        covariant = covariant.WithAnnotation<ExplicitStartupAnnotation>(behavior: ResourceAnnotationMutationBehavior.Append);
        _ = (covariant.ApplicationBuilder, covariant.Resource);
        Type[] markers =
        [
            typeof(IResourceWithEnvironment), typeof(IResourceWithArgs), typeof(IResourceWithEndpoints), typeof(IResourceWithServiceDiscovery), typeof(IResourceWithWaitSupport),
            typeof(IResourceWithoutLifetime), typeof(IResourceWithProbes), typeof(IComputeResource), typeof(IComputeEnvironmentResource),
        ];
        _ = markers;
    }

    public static IEnumerable<IResourceAnnotation> Annotations(IResource resource, CustomResourceSnapshot snapshot) =>
    [
        new EndpointAnnotation(protocol: ProtocolType.Tcp, uriScheme: "http", transport: "http2", name: "n", port: 1, targetPort: 2, isExternal: true, isProxied: false)
        {
            Name = "n", Protocol = ProtocolType.Tcp, Port = 1, TargetPort = 2, UriScheme = "http", Transport = "http", TargetHost = "localhost", IsExternal = true, IsProxied = true,
        },
        new EnvironmentCallbackAnnotation((EnvironmentCallbackContext context) => { }),
        new EnvironmentCallbackAnnotation((EnvironmentCallbackContext context) => Task.CompletedTask),
        new EnvironmentCallbackAnnotation(name: "n", callback: () => "v"),
        new EnvironmentCallbackAnnotation((Dictionary<string, object> variables) => variables["n"] = "v"),
        new CommandLineArgsCallbackAnnotation((CommandLineArgsCallbackContext context) => Task.CompletedTask),
        new CommandLineArgsCallbackAnnotation((IList<object> args) => args.Add("a")),
        new ReplicaAnnotation(replicas: 2),
        new ContainerImageAnnotation { Image = "i", Registry = "r", Tag = "t", SHA256 = "s" },
        new ContainerMountAnnotation(source: "s", target: "/t", type: ContainerMountType.BindMount, isReadOnly: true),
        new ContainerMountAnnotation(source: null, target: "/t", type: ContainerMountType.Volume, isReadOnly: false),
        new ContainerLifetimeAnnotation { Lifetime = ContainerLifetime.Persistent },
        new ContainerNameAnnotation { Name = "n" },
        new ContainerImagePullPolicyAnnotation { ImagePullPolicy = ImagePullPolicy.Missing },
        new ContainerRuntimeArgsCallbackAnnotation((ContainerRuntimeArgsCallbackContext context) => Task.CompletedTask),
        new ContainerRuntimeArgsCallbackAnnotation((IList<object> args) => { }),
        new DockerfileBuildAnnotation(contextPath: "c", dockerfilePath: "d", stage: null),
        new HealthCheckAnnotation(key: "k"),
        new WaitAnnotation(resource: resource, waitType: WaitType.WaitForCompletion, exitCode: 1) { WaitBehavior = WaitBehavior.StopOnResourceUnavailable },
        new ResourceUrlAnnotation { Url = "u", DisplayText = "d", DisplayLocation = UrlDisplayLocation.SummaryAndDetails, DisplayOrder = 1 },
        new ResourceUrlsCallbackAnnotation((ResourceUrlsCallbackContext context) => Task.CompletedTask),
        new ResourceUrlsCallbackAnnotation((ResourceUrlsCallbackContext context) => { }),
        new ResourceRelationshipAnnotation(resource: resource, type: "Reference"),
        new ResourceSnapshotAnnotation(initialSnapshot: snapshot),
        new ExplicitStartupAnnotation(),
        new LaunchProfileAnnotation(launchProfileName: "p"),
        new DefaultLaunchProfileAnnotation(launchProfileName: "p"),
        new ExcludeLaunchProfileAnnotation(),
        ManifestPublishingCallbackAnnotation.Ignore,
        new DeploymentTargetAnnotation(target: resource),
        new OtlpExporterAnnotation { RequiredProtocol = OtlpProtocol.HttpProtobuf },
        new ResourceIconAnnotation("i", IconVariant.Filled),
        new ReferenceEnvironmentInjectionAnnotation(ReferenceEnvironmentInjectionFlags.All),
        new ProxySupportAnnotation { ProxyEnabled = true },
        new ResourceCommandAnnotation("n", "d", context => ResourceCommandState.Enabled, context => Task.FromResult(CommandResults.Success()), "d", null, null, null, null, true),
    ];

    public static async Task Values(IResourceBuilder<ParameterResource> parameter, IResourceBuilder<IResourceWithConnectionString> connection, EndpointReference endpoint, CancellationToken ct)
    {
        var expression = ReferenceExpression.Create($"a{parameter}b{parameter.Resource:uri}c{endpoint}d{endpoint.Property(EndpointProperty.Host)}e{"text"}{"text":uri}f{connection.Resource}");
        _ = (ReferenceExpression.Empty, expression.Format, expression.ValueProviders, expression.ManifestExpressions, expression.StringFormats, expression.ValueExpression);
        string? value = await expression.GetValueAsync(ct);
        var expressions = new ReferenceExpressionBuilder();
        expressions.Append($"a{parameter}b{endpoint}");
        expressions.AppendLiteral("l");
        expressions.AppendFormatted("t");
        expressions.AppendFormatted(parameter.Resource);
        expression = expressions.IsEmpty ? ReferenceExpression.Empty : expressions.Build();
        _ = (endpoint.EndpointName, endpoint.Url, endpoint.Scheme, endpoint.Host, endpoint.Port, endpoint.TargetPort, endpoint.IsAllocated, endpoint.Exists, endpoint.IsHttp, endpoint.IsHttps,
            endpoint.Resource, endpoint.EndpointAnnotation, value);
        value = await endpoint.GetValueAsync(ct);
        int[] numbers =
        [
            (int)EndpointProperty.Url, (int)EndpointProperty.Host, (int)EndpointProperty.IPV4Host, (int)EndpointProperty.Port, (int)EndpointProperty.Scheme,
            (int)EndpointProperty.TargetPort, (int)EndpointProperty.HostAndPort,
        ];
        IValueProvider provider = expression;
        value = await provider.GetValueAsync(new ValueProviderContext { Caller = parameter.Resource }, ct);
        IManifestExpressionProvider manifest = expression;
        IValueWithReferences references = expression;
        _ = (manifest.ValueExpression, references.References, numbers, value);
    }

    private sealed class Child(string name, ProjectResource parent) : Resource(name), IResourceWithParent<ProjectResource>
    {
        public ProjectResource Parent => parent;
    }

    /// <summary>One member is enough: the others have default implementations.</summary>
    private sealed class Connected(string name) : Resource(name), IResourceWithConnectionString
    {
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Empty;
    }
}
