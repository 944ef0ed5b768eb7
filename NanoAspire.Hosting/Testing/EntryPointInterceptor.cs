using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Testing;

/// <summary>
/// Stands between a host's entry point and the builder when a test runs it. It belongs to the thread of that entry point (and what
/// flows from it), so several applications live side by side in one test process.
/// </summary>
internal sealed class EntryPointInterceptor
{
    private static readonly AsyncLocal<EntryPointInterceptor?> Ambient = new();

    private readonly TaskCompletionSource<DistributedApplicationBuilder> _builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> _application = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayBuild = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static EntryPointInterceptor? Current => Ambient.Value;

    public required Action<DistributedApplicationOptions, HostApplicationBuilderSettings> Creating { get; init; }
    public Action<DistributedApplicationBuilder>? Created { get; init; }
    public Action<DistributedApplicationBuilder>? Building { get; init; }
    public Action<DistributedApplication>? Built { get; init; }

    /// <summary>Completes when the entry point has reached <c>Build</c>: everything is declared.</summary>
    public Task<DistributedApplicationBuilder> Builder => _builder.Task;
    public Task<DistributedApplication> Application => _application.Task;

    /// <summary>Installs this for the current thread.</summary>
    public void Install() => Ambient.Value = this;

    public static void Remove() => Ambient.Value = null;

    public void OnBuilderCreating(DistributedApplicationOptions options, HostApplicationBuilderSettings settings) => Creating(options, settings);
    public void OnBuilderCreated(DistributedApplicationBuilder builder) => Created?.Invoke(builder);

    /// <summary>Holds the entry point until the test asks for the application.</summary>
    public void OnBuilding(DistributedApplicationBuilder builder)
    {
        Building?.Invoke(builder);
        _builder.TrySetResult(builder);
        _mayBuild.Task.GetAwaiter().GetResult();
    }

    public void OnBuilt(DistributedApplication application)
    {
        Built?.Invoke(application);
        _application.TrySetResult(application);
    }

    public void AllowBuild() => _mayBuild.TrySetResult();

    /// <summary>The entry point's <c>Run</c>: returns when the application has stopped or the test is done with it.</summary>
    public Task RunAsync(DistributedApplication application, CancellationToken ct) => _finished.Task.WaitAsync(ct);

    public void Finish()
    {
        _finished.TrySetResult();
        _mayBuild.TrySetException(new OperationCanceledException("The test disposed the application before it was built."));
    }

    public void Fail(Exception e)
    {
        _builder.TrySetException(e);
        _application.TrySetException(e);
    }
}
