using System.Globalization;
using System.Reflection;

namespace NanoAspire.Hosting.Testing;

/// <summary>Runs the program of a host assembly on a thread of its own.</summary>
internal sealed class EntryPointRunner : IAsyncDisposable
{
    private static readonly TimeSpan Limit = ReadLimit();

    private readonly EntryPointInterceptor _interceptor;
    private readonly Task _program;

    private EntryPointRunner(EntryPointInterceptor interceptor, Task program)
    {
        _interceptor = interceptor;
        _program = program;
    }

    /// <exception cref="InvalidOperationException">The assembly is no program.</exception>
    public static EntryPointRunner Start(Type type, string[] args, EntryPointInterceptor interceptor)
    {
        var main = type.Assembly.EntryPoint ?? throw new InvalidOperationException($"Assembly '{type.Assembly.GetName().Name}' of entry point type '{type}' has no entry point.");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            interceptor.Install();
            try
            {
                main.Invoke(null, main.GetParameters().Length == 0 ? [] : [args]);
                interceptor.Fail(new InvalidOperationException($"The program of '{type.Assembly.GetName().Name}' ended without building a distributed application."));
            }
#pragma warning disable CA1031 // whatever the program throws belongs to the test that asked for it
            catch (Exception e)
#pragma warning restore CA1031
            {
                interceptor.Fail(e is TargetInvocationException { InnerException: { } inner } ? inner : e);
            }
            finally
            {
                ended.SetResult();
            }
        }) { IsBackground = true, Name = $"{type.Assembly.GetName().Name} entry point" }.Start();
        return new EntryPointRunner(interceptor, ended.Task);
    }

    public Task<DistributedApplicationBuilder> BuilderAsync(CancellationToken ct) => _interceptor.Builder.WaitAsync(Limit, ct);

    public Task<DistributedApplication> BuildAsync(CancellationToken ct)
    {
        _interceptor.AllowBuild();
        return _interceptor.Application.WaitAsync(Limit, ct);
    }

    public async ValueTask DisposeAsync()
    {
        _interceptor.Finish();
        await Task.WhenAny(_program, Task.Delay(TimeSpan.FromSeconds(5))).ConfigureAwait(false);
    }

    private static TimeSpan ReadLimit()
    {
        if (System.Diagnostics.Debugger.IsAttached) return Timeout.InfiniteTimeSpan;
        return int.TryParse(Environment.GetEnvironmentVariable("DOTNET_HOST_FACTORY_RESOLVER_DEFAULT_TIMEOUT_IN_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.FromMinutes(5);
    }
}
