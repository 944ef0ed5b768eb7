using System.Reflection;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Testing;

/// <summary>The builder that a program holds at its <c>Build</c> call, or one that the test made itself.</summary>
internal sealed class RunningProgramBuilder(DistributedApplicationBuilder inner, EntryPointRunner? runner) : IDistributedApplicationTestingBuilder
{
    private TestedApplication? _application;

    public ConfigurationManager Configuration => inner.Configuration;
    public string AppHostDirectory => inner.AppHostDirectory;
    public Assembly? AppHostAssembly => inner.AppHostAssembly;
    public IHostEnvironment Environment => inner.Environment;
    public IServiceCollection Services => inner.Services;
    public DistributedApplicationExecutionContext ExecutionContext => inner.ExecutionContext;
    public IDistributedApplicationEventing Eventing => inner.Eventing;
    public IDistributedApplicationPipeline Pipeline => inner.Pipeline;
    public IResourceCollection Resources => inner.Resources;
    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource => inner.AddResource(resource);
    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => inner.CreateResourceBuilder(resource);
    public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();

    public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
    {
        var application = runner is null ? inner.Build() : await runner.BuildAsync(cancellationToken).ConfigureAwait(false);
        return _application = new TestedApplication(application, runner);
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        if (_application is not null) await _application.DisposeAsync().ConfigureAwait(false);
        else if (runner is not null) await runner.DisposeAsync().ConfigureAwait(false);
    }
}
