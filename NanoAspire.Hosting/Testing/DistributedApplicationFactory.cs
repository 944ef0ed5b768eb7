using Microsoft.Extensions.Hosting;
using NanoAspire.Hosting.Testing;

namespace Aspire.Hosting.Testing;

/// <summary>The same as <see cref="DistributedApplicationTestingBuilder"/> in one object, with hooks to override.</summary>
public class DistributedApplicationFactory(Type entryPoint, string[] args) : IDisposable, IAsyncDisposable
{
    private EntryPointRunner? _runner;
    private TestedApplication? _application;

    public DistributedApplicationFactory(Type entryPoint) : this(entryPoint, [])
    {
    }

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        _runner = EntryPointRunner.Start(entryPoint, args, new EntryPointInterceptor
        {
            Creating = (options, settings) =>
            {
                TestDefaults.Apply(entryPoint.Assembly, args, options, settings);
                OnBuilderCreating(options, settings);
            },
            Created = OnBuilderCreated,
            Building = OnBuilding,
            Built = OnBuilt,
        });
        await _runner.BuilderAsync(cancellationToken).ConfigureAwait(false);
        _application = new TestedApplication(await _runner.BuildAsync(cancellationToken).ConfigureAwait(false), _runner);
        await _application.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public HttpClient CreateHttpClient(string resourceName, string? endpointName = null) => Started.CreateHttpClient(resourceName, endpointName);
    public ValueTask<string?> GetConnectionString(string resourceName) => Started.GetConnectionStringAsync(resourceName);
    public Uri GetEndpoint(string resourceName, string? endpointName = null) => Started.GetEndpoint(resourceName, endpointName);

    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_application is not null) await _application.DisposeAsync().ConfigureAwait(false);
        else if (_runner is not null) await _runner.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    protected virtual void OnBuilderCreating(DistributedApplicationOptions applicationOptions, HostApplicationBuilderSettings hostOptions)
    {
    }

    protected virtual void OnBuilderCreated(DistributedApplicationBuilder applicationBuilder)
    {
    }

    protected virtual void OnBuilding(DistributedApplicationBuilder applicationBuilder)
    {
    }

    protected virtual void OnBuilt(DistributedApplication application)
    {
    }

    private TestedApplication Started => _application ?? throw new InvalidOperationException("The application must be started first.");
}
